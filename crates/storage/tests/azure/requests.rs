//! What is asked of the service, and what its answers mean, as its documentation has them and the emulator does not show.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Retry, WriteMode};
use strongroom_testkit::{HttpAnswer, HttpRequest, ScriptedHttp};

use crate::objects::{opened_in, path, with};

const KEY: (&str, &str) = ("AZURE_ACCOUNT_KEY", "a2V5");

fn options(server: &ScriptedHttp, more: &[&str]) -> Vec<String> {
    let endpoint = format!("azure.endpoint={}", server.url());
    with(vec![endpoint, "azure.account=acc".to_owned()], more)
}

fn error(status: u16, code: &str) -> HttpAnswer {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>said\nTime:x</Message></Error>"
    );
    HttpAnswer::new(status, body).header("x-ms-error-code", code)
}

/// A new file in the place of an old one: somebody's key, or half of a repository.
#[tokio::test]
async fn only_a_new_file_asks_that_there_is_none_and_names_its_tier() {
    let server = ScriptedHttp::start(|asked: &HttpRequest| match asked.method.as_str() {
        "GET" => error(404, "BlobNotFound"),
        _ if asked.path.contains("comp=block&") => HttpAnswer::new(201, ""),
        _ => error(409, "BlobAlreadyExists"),
    });
    for (size_bytes, place) in [
        (10, "/box/a%20b/config"),
        (3000, "/box/a%20b/config?comp=blocklist"),
    ] {
        for mode in [WriteMode::New, WriteMode::Replace] {
            for (class, tier) in [(Class::Data, Some("Cool")), (Class::Metadata, None)] {
                let more = ["azure.block-size=1KiB", "azure.access-tier=cool"];
                let (storage, _) = opened_in("azure:box:/a b", &options(&server, &more), &[KEY]);
                let name = path("config");
                let write = storage.write(&name, Bytes::from(vec![7; size_bytes]), mode, class);
                let error = write.await.unwrap_err();
                assert_eq!(
                    (error.kind, error.retry),
                    (ErrorKind::AlreadyExists, Retry::Never)
                );
                let asked = server.asked().pop().unwrap();
                assert_eq!(asked.path, place);
                assert_eq!(asked.header("x-ms-access-tier"), tier);
                let new = (mode == WriteMode::New).then_some("*");
                assert_eq!(asked.header("if-none-match"), new);
                assert_eq!(asked.header("x-ms-version"), Some("2021-12-02"));
            }
        }
    }
}

/// A page that is left out is snapshots that nobody sees, and packs that a prune takes for waste.
#[tokio::test]
async fn a_listing_goes_on_to_its_last_page() {
    let server = ScriptedHttp::start(|asked: &HttpRequest| {
        let page = |name: &str, next: &str| {
            let blob = format!(
                "<Blob><Name>{name}</Name><Properties><Content-Length>3</Content-Length></Properties></Blob>"
            );
            let blob = if name.is_empty() { String::new() } else { blob };
            HttpAnswer::new(
                200,
                format!(
                    "<EnumerationResults><Blobs>{blob}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
                ),
            )
        };
        match asked.path.split_once("marker=").map(|(_, marker)| marker) {
            None => page("p/data/a", "a/1+"),
            Some("a%2F1%2B") => page("", "2"),
            Some("2") => page("p/data/b", ""),
            Some(other) => panic!("{other}"),
        }
    });
    let (storage, _) = opened_in("azure:box:/p", &options(&server, &[]), &[KEY]);
    let files = storage.list(Some(&path("data"))).await.unwrap();
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["data/a", "data/b"]);
    assert!(server.asked()[0].path.contains("prefix=p%2Fdata%2F"));
}

/// An answer that confirms something else than was sent is no confirmation; and what the service throttles is not hammered.
#[tokio::test]
async fn what_the_service_has_stored_is_compared() {
    let server = ScriptedHttp::start(|_| HttpAnswer::new(201, "").header("Content-MD5", "AAAA"));
    let (storage, seen) = opened_in(
        "azure:box:/",
        &options(&server, &["retry.damaged-tries=2"]),
        &[KEY],
    );
    let name = path("data/a");
    let write = storage.write(&name, Bytes::from(vec![7; 10]), WriteMode::New, Class::Data);
    assert_eq!(write.await.unwrap_err().kind, ErrorKind::Mismatch);
    assert_eq!(seen.lock().unwrap().len(), 1);

    let busy = ScriptedHttp::start(|_| error(503, "ServerBusy").header("Retry-After", "0"));
    let (storage, seen) = opened_in(
        "azure:box:/",
        &options(&busy, &["retry.first-contact=10ms"]),
        &[KEY],
    );
    assert_eq!(
        storage.stat(&name).await.unwrap_err().kind,
        ErrorKind::Throttled
    );
    assert!(
        seen.lock()
            .unwrap()
            .iter()
            .all(|(kind, _)| *kind == ErrorKind::Throttled)
    );
}

/// Blobs that cannot be read or removed say why, and nobody waits a quarter of an hour for it.
#[tokio::test]
async fn what_protects_or_hides_a_blob_is_told() {
    for (code, kind, said) in [
        ("BlobArchived", ErrorKind::Unsupported, "Archive"),
        (
            "BlobImmutableDueToPolicy",
            ErrorKind::PermissionDenied,
            "policy",
        ),
        ("ContainerNotFound", ErrorKind::NotFound, "container"),
    ] {
        let server = ScriptedHttp::start(move |_| error(409, code));
        let (storage, _) = opened_in("azure:box:/", &options(&server, &[]), &[KEY]);
        let error = storage.delete(&path("a")).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never));
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Whoever may write into a container and make none can begin a repository in it.
#[tokio::test]
async fn a_right_that_makes_no_container_is_enough_where_there_is_one() {
    for (list, works) in [
        (HttpAnswer::new(200, "<EnumerationResults/>"), true),
        (error(403, "AuthorizationPermissionMismatch"), false),
    ] {
        let server = ScriptedHttp::start(move |asked| match asked.method.as_str() {
            "PUT" => error(403, "AuthorizationPermissionMismatch"),
            _ => list.clone(),
        });
        let (storage, _) = opened_in("azure:box:/", &options(&server, &[]), &[KEY]);
        assert_eq!(storage.create().await.is_ok(), works);
    }
}

/// The commonest reason for a right key that is refused.
#[tokio::test]
async fn a_wrong_clock_is_told() {
    for (hours, tells) in [(0, false), (3, true)] {
        let server = ScriptedHttp::start(move |_| {
            let date = SystemTime::now() + Duration::from_secs(hours * 3600);
            error(403, "AuthenticationFailed").header("Date", httpdate::fmt_http_date(date))
        });
        let (storage, _) = opened_in("azure:box:/", &options(&server, &[]), &[KEY]);
        let error = storage.list(None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthenticated);
        assert_eq!(error.to_string().contains("clock"), tells, "{error}");
        assert_eq!(server.asked().len(), 1, "tried again");
    }
}

/// Tokens of an application and of a machine: asked for once, and once more when they are refused.
#[tokio::test]
async fn tokens_are_fetched_kept_and_fetched_anew() {
    let start = |good: usize| {
        let mut given = 0;
        ScriptedHttp::start(move |asked: &HttpRequest| {
            if asked.path.contains("/oauth2/") {
                given += 1;
                return HttpAnswer::new(
                    200,
                    format!(r#"{{"access_token":"token-{given}","expires_in":"3599"}}"#),
                );
            }
            match asked.header("authorization") == Some(format!("Bearer token-{good}").as_str()) {
                true => HttpAnswer::new(200, "<EnumerationResults/>"),
                false => error(401, "InvalidAuthenticationInfo"),
            }
        })
    };
    let server = start(2);
    let url = server.url();
    let application = [
        ("AZURE_TENANT_ID", "my-tenant"),
        ("AZURE_CLIENT_ID", "my-app"),
        ("AZURE_CLIENT_SECRET", "hunter2&x"),
        ("AZURE_AUTHORITY_HOST", url.as_str()),
    ];
    let (storage, seen) = opened_in("azure:box:/", &options(&server, &[]), &application);
    storage.list(None).await.unwrap();
    storage.list(None).await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
    let asked = server.asked();
    let tokens: Vec<_> = asked
        .iter()
        .filter(|asked| asked.path.contains("/oauth2/"))
        .collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0].path, "/my-tenant/oauth2/v2.0/token");
    let form = "grant_type=client_credentials&client_id=my-app&client_secret=hunter2%26x&scope=https%3A%2F%2Fstorage.azure.com%2F.default";
    assert_eq!(tokens[0].text(), form);
    assert!(!format!("{storage:?}").contains("hunter2"));

    let server = start(1);
    let url = server.url();
    let machine = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())];
    let (storage, _) = opened_in("azure:box:/", &options(&server, &[]), &machine);
    storage.list(None).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!(
        asked.path,
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
    );
    assert_eq!(asked.header("metadata"), Some("true"));

    let nobody = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")];
    let (storage, _) = opened_in("azure:box:/", &options(&server, &[]), &nobody);
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("AZURE_ACCOUNT_KEY"), "{error}");
}
