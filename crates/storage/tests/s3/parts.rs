//! Files in parts: what the server has is not sent again, and what comes of it is looked at.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Result, Retry, Storage, WriteMode};
use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::asked::{count, directly, is_completion, is_part, refusal};
use crate::opened::{opened, path};

const PARTS: usize = 5;
const SIZE_BYTES: usize = (5 << 20) * (PARTS - 1) + 12_345;

fn data() -> Bytes {
    (0..SIZE_BYTES).map(|place| (place / 7919) as u8).collect()
}

async fn write(storage: &Arc<dyn Storage>, mode: WriteMode) -> Result<()> {
    let name = path("data/large");
    storage.write(&name, data(), mode, Class::Data).await
}

fn behind(proxy: &FaultProxy, more: &[&str]) -> Arc<dyn Storage> {
    let address = format!("s3:http://{}/bucket/p", proxy.host());
    opened(&address, &[&["s3.part-size=5MiB"], more].concat())
}

async fn assert_is_there(server: &Moto) {
    let direct = opened(&server.url("bucket/p"), &[]);
    let read = direct.read(&path("data/large"), None, Class::Data).await;
    assert!(read.unwrap() == data());
    let uploads = directly(server.host(), "GET", "/bucket?uploads");
    assert!(!uploads.contains("UploadId>"), "{uploads}");
}

/// STO-03: on a line that breaks every few megabytes, a large file must still arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_tried_again_sends_what_is_missing() {
    for fault in [
        HttpFault::Reset,
        HttpFault::LostAnswer,
        refusal(503, "SlowDown"),
        refusal(400, "BadDigest"),
    ] {
        let server = Moto::start(&[]);
        let proxy = FaultProxy::nth(server.host(), 0, |asked| is_part(asked, 3), fault.clone());
        let storage = behind(&proxy, &["s3.connections=2"]);
        storage.create().await.unwrap();
        let error = write(&storage, WriteMode::New).await.unwrap_err();
        assert_eq!(error.retry, Retry::Later, "{error}");
        assert!(storage.list(None).await.unwrap().is_empty(), "{fault:?}");
        write(&storage, WriteMode::New).await.unwrap();
        for number in 1..=PARTS {
            let sent = count(&proxy, |asked| is_part(asked, number));
            assert_eq!(
                sent,
                if number == 3 { 2 } else { 1 },
                "part {number}, {fault:?}"
            );
        }
        assert_eq!(count(&proxy, |asked| asked.path.ends_with("?uploads=")), 1);
        assert_is_there(&server).await;
    }
}

/// The server has put the parts together, and nobody has heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completion_whose_answer_was_lost_is_a_success() {
    for mode in [WriteMode::New, WriteMode::Replace] {
        for fault in [HttpFault::LostAnswer, HttpFault::StatusAfter(500)] {
            let server = Moto::start(&[]);
            let proxy = FaultProxy::nth(server.host(), 0, is_completion, fault);
            let storage = behind(&proxy, &["retry.upload=1m", "retry.first-pause=1ms"]);
            storage.create().await.unwrap();
            write(&storage, mode).await.unwrap();
            assert_is_there(&server).await;
        }
    }
}

/// The status is sent before the parts are put together. Whoever believes it has an index of packs that are not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_behind_a_status_of_success_is_an_error() {
    let server = Moto::start(&[]);
    let fault = refusal(200, "InternalError");
    let proxy = FaultProxy::nth(server.host(), 0, is_completion, fault);
    let storage = behind(&proxy, &[]);
    storage.create().await.unwrap();
    let error = write(&storage, WriteMode::New).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Io, Retry::Later),
        "{error}"
    );
    write(&storage, WriteMode::New).await.unwrap();
    assert_eq!(count(&proxy, |asked| is_part(asked, 1)), 1);
    assert_is_there(&server).await;
}

/// An upload that the server has given up, as a rule of the bucket may say, is begun anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_the_server_has_forgotten_is_begun_anew() {
    let server = Moto::start(&[]);
    let fault = refusal(404, "NoSuchUpload");
    let proxy = FaultProxy::nth(server.host(), 0, |asked| is_part(asked, 2), fault);
    let storage = behind(&proxy, &["retry.upload=1m", "retry.first-pause=1ms"]);
    storage.create().await.unwrap();
    write(&storage, WriteMode::New).await.unwrap();
    let direct = opened(&server.url("bucket/p"), &[]);
    let read = direct.read(&path("data/large"), None, Class::Data).await;
    assert!(read.unwrap() == data());
}

/// What is refused for good is given up, since parts that nobody sees cost money.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_good_leaves_no_parts() {
    let server = Moto::start(&[]);
    let fault = refusal(403, "AccessDenied");
    let proxy = FaultProxy::nth(server.host(), 0, |asked| is_part(asked, 4), fault);
    let storage = behind(&proxy, &[]);
    storage.create().await.unwrap();
    let error = write(&storage, WriteMode::New).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied, "{error}");
    let uploads = directly(server.host(), "GET", "/bucket?uploads");
    assert!(!uploads.contains("UploadId>"), "{uploads}");
}

/// What killed processes have left is given up a day later, and nobody else's. (moto's uploads all began in 2010.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_uploads_of_ours_are_given_up() {
    let server = Moto::start(&[]);
    let host = server.host();
    directly(host, "PUT", "/bucket");
    for key in ["p/data/left", "p/data/no%20name%20of%20ours", "q/data/left"] {
        directly(host, "POST", &format!("/bucket/{key}?uploads"));
    }
    let storage = opened(&server.url("bucket/p"), &["s3.part-size=5MiB"]);
    write(&storage, WriteMode::New).await.unwrap();
    let uploads = directly(host, "GET", "/bucket?uploads");
    let is_left = |key: &str| uploads.contains(&format!("<Key>{key}</Key>"));
    assert!(
        !is_left("p/data/left") && is_left("q/data/left"),
        "{uploads}"
    );
    assert!(is_left("p/data/no name of ours"), "{uploads}");
}

/// Servers take what is a checksum for a whole file and not for parts, or the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_go_without_checksums_where_those_are_refused() {
    let server = Moto::start(&[]);
    let refuses = |asked: &HttpAsked| {
        let is_part = asked.path.contains("partNumber=");
        match is_part && asked.header("x-amz-checksum-sha256").is_some() {
            true => refusal(501, "NotImplemented"),
            false => HttpFault::None,
        }
    };
    let proxy = FaultProxy::start(server.host(), refuses);
    let storage = behind(&proxy, &["retry.upload=1m", "retry.first-pause=1ms"]);
    storage.create().await.unwrap();
    write(&storage, WriteMode::New).await.unwrap();
    assert_is_there(&server).await;
}
