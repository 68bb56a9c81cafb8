//! What is asked of the service, and what its answers mean, as its documentation has them and the emulator does not show.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Retry, WriteMode};
use strongroom_testkit::{HttpAnswer, HttpRequest, ScriptedHttp};

use crate::objects::{opened, path, with};

fn options(server: &ScriptedHttp, more: &[&str]) -> Vec<String> {
    let endpoint = format!("gcs.endpoint={}", server.url());
    with(vec![endpoint, "gcs.anonymous=true".to_owned()], more)
}

fn error(status: u16, reason: &str) -> HttpAnswer {
    let body = format!(
        r#"{{"error":{{"code":{status},"message":"said","errors":[{{"reason":"{reason}"}}]}}}}"#
    );
    HttpAnswer::new(status, body)
}

/// A new file in the place of an old one: somebody's key, or half of a repository.
#[tokio::test]
async fn only_a_new_file_asks_that_there_is_none() {
    let server = ScriptedHttp::start(|_| error(412, "conditionNotMet"));
    for (size_bytes, kind) in [(10, "multipart"), (300_000, "resumable")] {
        for mode in [WriteMode::New, WriteMode::Replace] {
            let more = ["gcs.chunk-size=256KiB", "gcs.storage-class=nearline"];
            let (storage, _) = opened("gs:box:/a b", &options(&server, &more));
            let name = path("config");
            let data = Bytes::from(vec![7; size_bytes]);
            let write = storage.write(&name, data, mode, Class::Data);
            let error = write.await.unwrap_err();
            assert_eq!(
                (error.kind, error.retry),
                (ErrorKind::AlreadyExists, Retry::Never)
            );
            let asked = server.asked().pop().unwrap();
            assert!(
                asked.path.contains("/upload/storage/v1/b/box/o?"),
                "{}",
                asked.path
            );
            assert!(
                asked.path.contains(&format!("uploadType={kind}")),
                "{}",
                asked.path
            );
            assert!(asked.path.contains("name=a%20b%2Fconfig"), "{}", asked.path);
            let asks = asked.path.contains("ifGenerationMatch=0");
            assert_eq!(asks, mode == WriteMode::New, "{}", asked.path);
            assert!(asked.text().contains("\"storageClass\":\"NEARLINE\""));
            assert!(asked.text().contains("\"crc32c\":"));
        }
    }
}

/// A page that is left out is snapshots that nobody sees, and packs that a prune takes for waste.
#[tokio::test]
async fn a_listing_goes_on_to_its_last_page() {
    let server = ScriptedHttp::start(|asked: &HttpRequest| {
        let page = |name: &str, next: &str| {
            let items = format!(r#"{{"items":[{{"name":"{name}","size":"3"}}]{next}}}"#);
            HttpAnswer::new(200, items)
        };
        match asked.path.split_once("pageToken=").map(|(_, token)| token) {
            None => page("p/data/a", r#","nextPageToken":"a/1+""#),
            Some("a%2F1%2B") => HttpAnswer::new(200, r#"{"nextPageToken":"2"}"#),
            Some("2") => page("p/data/b", ""),
            Some(other) => panic!("{other}"),
        }
    });
    let (storage, _) = opened("gs:box:/p", &options(&server, &[]));
    let mut files = storage.list(Some(&path("data"))).await.unwrap();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["data/a", "data/b"]);
    assert!(server.asked()[0].path.contains("prefix=p%2Fdata%2F"));
    assert_eq!(server.asked().len(), 3);
}

/// A bucket is made where it is missing, and one of somebody else's is not taken for ours.
#[tokio::test]
async fn a_bucket_is_made_once_in_its_project_and_place() {
    let made = Arc::new(Mutex::new(false));
    let known = Arc::clone(&made);
    let server = ScriptedHttp::start(move |asked| match asked.method.as_str() {
        "GET" if !*known.lock().unwrap() => error(404, "notFound"),
        "GET" => HttpAnswer::new(200, "{}"),
        _ => {
            *known.lock().unwrap() = true;
            HttpAnswer::new(200, "{}")
        }
    });
    let (storage, _) = opened("gs:box:/", &options(&server, &[]));
    let error_without = storage.create().await.unwrap_err();
    assert!(
        error_without.to_string().contains("gcs.project"),
        "{error_without}"
    );
    let more = ["gcs.project=my-project", "gcs.location=EU"];
    let (storage, _) = opened("gs:box:/", &options(&server, &more));
    storage.create().await.unwrap();
    storage.create().await.unwrap();
    let asked = server.asked();
    let posts: Vec<_> = asked
        .iter()
        .filter(|asked| asked.method == "POST")
        .collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].path, "/storage/v1/b?project=my-project");
    let bucket: serde_json::Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(bucket, serde_json::json!({"name": "box", "location": "EU"}));

    let taken = ScriptedHttp::start(|asked| match asked.method.as_str() {
        "GET" => error(404, "notFound"),
        _ => error(409, "conflict"),
    });
    let (storage, _) = opened("gs:box:/", &options(&taken, &more));
    let error = storage.create().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied, "{error}");
}

/// An answer that confirms something else than was sent is no confirmation.
#[tokio::test]
async fn what_the_service_has_stored_is_compared() {
    let server =
        ScriptedHttp::start(|_| HttpAnswer::new(200, r#"{"size":"10","crc32c":"AAAAAA=="}"#));
    let (storage, seen) = opened("gs:box:/", &options(&server, &["retry.damaged-tries=2"]));
    let name = path("data/a");
    let write = storage.write(&name, Bytes::from(vec![7; 10]), WriteMode::New, Class::Data);
    assert_eq!(write.await.unwrap_err().kind, ErrorKind::Mismatch);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// A session that the service has forgotten is begun anew, and one that gets no further is given up.
#[tokio::test]
async fn a_session_that_is_gone_is_begun_anew() {
    for status in [404, 410] {
        let mut pieces = 0;
        let server = ScriptedHttp::start(move |asked| match asked.method.as_str() {
            "POST" => HttpAnswer::new(200, "").header(
                "Location",
                "https://elsewhere.example/upload/s?upload_id=secret",
            ),
            _ => {
                pieces += 1;
                match pieces {
                    1 => error(status, "gone"),
                    _ => HttpAnswer::new(308, ""),
                }
            }
        });
        let more = ["gcs.chunk-size=256KiB", "retry.upload=1s"];
        let (storage, seen) = opened("gs:box:/", &options(&server, &more));
        let name = path("data/a");
        let write = storage.write(
            &name,
            Bytes::from(vec![7; 300_000]),
            WriteMode::New,
            Class::Data,
        );
        let error = write.await.unwrap_err();
        assert!(
            !format!("{error:?}{storage:?}").contains("secret"),
            "{error:?}"
        );
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0].0, ErrorKind::Unreachable);
        assert_eq!(seen[1].0, ErrorKind::Io);
        // What it names is asked here and nowhere else.
        assert!(
            server.asked()[1]
                .path
                .starts_with("/upload/s?upload_id=secret")
        );
    }
}
