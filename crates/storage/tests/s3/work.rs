//! What is asked of the server, and what is not.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Operation, Storage, WriteMode};
use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::asked::{count, directly, is_put};
use crate::opened::{opened, path};

fn watched(server: &Moto) -> FaultProxy {
    FaultProxy::start(server.host(), |_| HttpFault::None)
}

async fn put(storage: &dyn Storage, name: &str, class: Class) {
    let name = path(name);
    let data = Bytes::from_static(b"content");
    storage
        .write(&name, data, WriteMode::New, class)
        .await
        .unwrap();
}

/// Indexes in an archive make a repository that cannot be opened.
#[tokio::test]
async fn each_class_of_file_has_its_storage_class() {
    let server = Moto::start(&[]);
    let proxy = watched(&server);
    let options = [
        "s3.storage-class=standard_ia",
        "s3.metadata-class=INTELLIGENT_TIERING",
    ];
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &options);
    storage.create().await.unwrap();
    put(storage.as_ref(), "data/a", Class::Data).await;
    put(storage.as_ref(), "index/a", Class::Metadata).await;
    let class = |end: &str| {
        let asked = proxy.asked();
        let put = asked
            .iter()
            .find(|asked| is_put(asked) && asked.path.ends_with(end));
        put.unwrap()
            .header("x-amz-storage-class")
            .map(str::to_owned)
    };
    assert_eq!(class("data/a").as_deref(), Some("STANDARD_IA"));
    assert_eq!(class("index/a").as_deref(), Some("INTELLIGENT_TIERING"));
    let listed = directly(server.host(), "GET", "/bucket");
    assert!(listed.contains("<StorageClass>STANDARD_IA<"), "{listed}");
}

/// Whatever is written without its lock can be removed by whoever has taken the keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_is_locked_where_that_is_asked_for() {
    let server = Moto::start(&[]);
    let proxy = watched(&server);
    let options = [
        "s3.lock-mode=compliance",
        "s3.lock-days=30",
        "s3.part-size=5MiB",
    ];
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &options);
    storage.create().await.unwrap();
    put(storage.as_ref(), "index/a", Class::Metadata).await;
    let large = Bytes::from(vec![1; 11 << 20]);
    let name = path("data/large");
    storage
        .write(&name, large, WriteMode::New, Class::Data)
        .await
        .unwrap();
    let makes = |asked: &HttpAsked| {
        is_put(asked) || asked.method == "POST" && asked.path.contains("?uploads=")
    };
    let locked = |asked: &HttpAsked| {
        let until = asked.header("x-amz-object-lock-retain-until-date");
        makes(asked)
            && until.is_some()
            && asked.header("x-amz-object-lock-mode") == Some("COMPLIANCE")
    };
    assert_eq!(count(&proxy, makes), count(&proxy, locked));
    assert!(count(&proxy, locked) >= 2);
    let unprotected = count(&proxy, |asked| {
        is_put(asked) && asked.header("content-md5").is_none()
    });
    assert_eq!(
        unprotected, 0,
        "a lock needs a checksum that every server knows"
    );
    // Some servers, moto among them, lose the lock of a file that comes in parts.
    for key in ["index/a", "data/large"] {
        let retention = directly(server.host(), "GET", &format!("/bucket/{key}?retention"));
        assert!(retention.contains("COMPLIANCE"), "{key}: {retention}");
    }
}

/// A pack that is used for years is held for as long as somebody sees to it.
#[tokio::test]
async fn a_lock_is_extended_and_never_shortened() {
    let server = Moto::start(&[]);
    let options = ["s3.lock-mode=governance", "s3.lock-days=30"];
    let storage = opened(&server.url("bucket"), &options);
    storage.create().await.unwrap();
    put(storage.as_ref(), "index/a", Class::Metadata).await;
    let retention = || directly(server.host(), "GET", "/bucket/index/a?retention");
    let first = retention();
    let day = Duration::from_secs(86_400);
    let name = path("index/a");
    storage.hold(&name, SystemTime::now() + day).await.unwrap();
    assert_eq!(body(&retention()), body(&first), "shortened");
    let later = SystemTime::UNIX_EPOCH + 365 * 200 * day;
    storage.hold(&name, later).await.unwrap();
    assert!(
        retention().contains("2169-11-13T00:00:00Z"),
        "{}",
        retention()
    );
    let missing = storage.hold(&path("index/b"), later).await.unwrap_err();
    assert_eq!(
        (missing.kind, missing.operation),
        (ErrorKind::NotFound, Operation::Hold)
    );
    let without = opened(&server.url("bucket"), &[]);
    let error = without.hold(&name, later).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

fn body(answer: &str) -> &str {
    answer.split("\r\n\r\n").nth(1).unwrap()
}

/// Somebody else's files in the same bucket, and the marks that consoles make for folders, are none of the repository's.
#[tokio::test]
async fn keys_that_are_not_ours_are_passed_over() {
    let server = Moto::start(&[]);
    let host = server.host();
    directly(host, "PUT", "/bucket");
    let storage = opened(&server.url("bucket/p"), &[]);
    put(storage.as_ref(), "data/a", Class::Data).await;
    for key in [
        "p/",
        "p/data/",
        "p/data/b%20c",
        "p/data/%C3%BC",
        "p2/data/a",
        "other",
        "p//x",
    ] {
        let answer = directly(host, "PUT", &format!("/bucket/{key}"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let names = |files: Vec<strongroom_storage::FileInfo>| {
        let names = files.into_iter().map(|file| file.path.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(storage.list(None).await.unwrap()), ["data/a"]);
    assert_eq!(
        names(storage.list(Some(&path("data"))).await.unwrap()),
        ["data/a"]
    );
}

/// A bucket that is there is not made again: who may write to it need not have the right to make any.
#[tokio::test]
async fn a_bucket_is_made_once() {
    let server = Moto::start(&[]);
    let proxy = watched(&server);
    let storage = opened(&format!("s3:http://{}/bucket/p", proxy.host()), &[]);
    for _ in 0..3 {
        storage.create().await.unwrap();
    }
    assert_eq!(count(&proxy, |asked| asked.method == "PUT"), 1);
}
