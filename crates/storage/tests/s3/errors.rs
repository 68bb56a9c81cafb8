//! What a server refuses becomes an error that says what is wrong, and is tried again only where that can help.

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class, ErrorKind, Retry, Storage, StorageError, WriteMode};
use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpFault};

use crate::asked::{count, directly, refusal};
use crate::opened::{opened, path};

async fn write(storage: &dyn Storage, name: &str) -> Result<(), StorageError> {
    let name = path(name);
    let data = Bytes::from_static(b"content");
    storage
        .write(&name, data, WriteMode::Replace, Class::Data)
        .await
}

#[tokio::test]
async fn each_refusal_has_its_kind() {
    for (status, code, kind, retry, words) in [
        (503, "SlowDown", ErrorKind::Throttled, Retry::Later, ""),
        (500, "InternalError", ErrorKind::Io, Retry::Later, ""),
        (400, "RequestTimeout", ErrorKind::TimedOut, Retry::Later, ""),
        (
            403,
            "AccessDenied",
            ErrorKind::PermissionDenied,
            Retry::Never,
            "rights",
        ),
        (403, "QuotaExceeded", ErrorKind::NoSpace, Retry::Never, ""),
        (
            403,
            "RequestTimeTooSkewed",
            ErrorKind::Unauthenticated,
            Retry::Never,
            "clock",
        ),
        (
            400,
            "ExpiredToken",
            ErrorKind::Unauthenticated,
            Retry::Never,
            "fresh ones",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            ErrorKind::Unauthenticated,
            Retry::Never,
            "s3.region",
        ),
        (
            403,
            "InvalidObjectState",
            ErrorKind::PermissionDenied,
            Retry::Never,
            "archive",
        ),
        (
            301,
            "PermanentRedirect",
            ErrorKind::Unsupported,
            Retry::Never,
            "s3.region",
        ),
    ] {
        let refused = refusal(status, code);
        let proxy = FaultProxy::start("127.0.0.1:9", move |_| refused.clone());
        let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
        let name = path("config");
        for error in [
            storage.read(&name, None, Class::Data).await.unwrap_err(),
            storage.list(None).await.unwrap_err(),
            write(storage.as_ref(), "config").await.unwrap_err(),
        ] {
            assert_eq!((error.kind, error.retry), (kind, retry), "{error}");
            assert!(error.message.contains(words), "{error}");
            assert!(!error.to_string().contains("try-me"), "{error}");
        }
    }
}

/// An answer to `HEAD` has no body. One that is taken for "not there" lets a file be written over, and one that is taken for
/// anything else sends the person looking in the wrong place.
#[tokio::test]
async fn why_a_look_is_refused_is_asked_for() {
    let proxy = FaultProxy::start("127.0.0.1:9", |asked| match asked.method.as_str() {
        "HEAD" => HttpFault::Status(400),
        _ => refusal(400, "ExpiredToken"),
    });
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
    let error = storage.stat(&path("config")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated, "{error}");
}

/// Rights to read and none to look are enough to find out how large a file is.
#[tokio::test]
async fn a_look_that_is_refused_is_done_by_reading() {
    let server = Moto::start(&[]);
    let proxy = FaultProxy::start(server.host(), |asked| match asked.method.as_str() {
        "HEAD" => HttpFault::Status(403),
        _ => HttpFault::None,
    });
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
    storage.create().await.unwrap();
    write(storage.as_ref(), "config").await.unwrap();
    assert_eq!(storage.stat(&path("config")).await.unwrap().size_bytes, 7);
    let error = storage.stat(&path("other")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// The bucket is where the server says, and nobody has to look that up.
#[tokio::test]
async fn the_region_is_learned_from_the_server() {
    let elsewhere =
        "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>";
    let server = Moto::start(&[]);
    let proxy = FaultProxy::start(server.host(), move |asked| {
        let scope = asked.header("authorization").unwrap_or_default();
        match scope.contains("/eu-north-1/s3/") {
            true => HttpFault::None,
            false => HttpFault::Answer(400, elsewhere.to_owned()),
        }
    });
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
    directly(server.host(), "PUT", "/bucket");
    write(storage.as_ref(), "config").await.unwrap();
    storage.list(None).await.unwrap();
    let wrong = count(&proxy, |asked| {
        !asked
            .header("authorization")
            .unwrap_or_default()
            .contains("eu-north-1")
    });
    assert_eq!(wrong, 1, "once it is known, it is not asked for again");
}

/// A pack in an archive cannot be read, and the person has to know what to do about it.
#[tokio::test]
async fn what_lies_in_an_archive_says_so() {
    let server = Moto::start(&[]);
    let storage = opened(&server.url("bucket"), &["s3.storage-class=GLACIER"]);
    storage.create().await.unwrap();
    write(storage.as_ref(), "data/a").await.unwrap();
    let range = ByteRange {
        offset: 0,
        length: 3,
    };
    let error = storage
        .read(&path("data/a"), Some(range), Class::Data)
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
    assert!(error.message.contains("archive"), "{error}");
}

/// Fewer bytes than there are, taken for a file or a listing, are lost snapshots.
#[tokio::test]
async fn what_breaks_off_is_never_taken_for_the_whole() {
    for fault in [
        HttpFault::CutAnswer(300),
        HttpFault::ResetAnswerAfter(300),
        HttpFault::ShortAnswer(300),
    ] {
        let server = Moto::start(&[]);
        let direct = opened(&server.url("bucket"), &[]);
        direct.create().await.unwrap();
        let name = path("data/a");
        let data = Bytes::from(vec![5; 5000]);
        direct
            .write(&name, data, WriteMode::New, Class::Data)
            .await
            .unwrap();
        let injected = fault.clone();
        let proxy = FaultProxy::start(server.host(), move |_| injected.clone());
        let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
        let range = ByteRange {
            offset: 100,
            length: 4000,
        };
        let error = storage.read(&name, Some(range), Class::Data).await;
        assert_eq!(error.unwrap_err().retry, Retry::Later, "{fault:?}");
        let error = storage.list(None).await.unwrap_err();
        assert_eq!(error.retry, Retry::Later, "{fault:?}");
    }
}

/// With everything that passes by itself, in turn, files and listings come out whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_by_itself_is_lived_through() {
    let mut faults = [
        refusal(503, "SlowDown"),
        HttpFault::Reset,
        HttpFault::LostAnswer,
        refusal(500, "InternalError"),
        HttpFault::StatusAfter(500),
        HttpFault::CutAnswer(50),
        HttpFault::StatusWithPause(503, "0".to_owned()),
        HttpFault::Twice,
    ]
    .into_iter()
    .cycle();
    let server = Moto::start(&[]);
    let proxy = FaultProxy::start(server.host(), move |asked| match asked.number % 3 {
        1 => faults.next().unwrap(),
        _ => HttpFault::None,
    });
    let address = format!("s3:http://{}/bucket/p", proxy.host());
    let long = [
        "retry.upload=5m",
        "retry.download=5m",
        "retry.list=5m",
        "retry.delete=5m",
    ];
    let quick = [
        "retry.first-contact=5m",
        "retry.first-pause=1ms",
        "retry.longest-pause=1ms",
        "s3.part-size=5MiB",
    ];
    let storage = opened(&address, &[long, quick].concat());
    storage.create().await.unwrap();
    for (number, mode) in [WriteMode::New, WriteMode::Replace]
        .into_iter()
        .cycle()
        .take(12)
        .enumerate()
    {
        let length = if number % 4 == 0 {
            (12 << 20) + number
        } else {
            1000 + number
        };
        let data = Bytes::from(vec![number as u8; length]);
        let name = path(&format!("data/{number}"));
        storage
            .write(&name, data.clone(), mode, Class::Data)
            .await
            .unwrap();
        assert!(
            storage.read(&name, None, Class::Data).await.unwrap() == data,
            "{number}"
        );
        if number % 2 == 1 {
            storage.delete(&name).await.unwrap();
        }
    }
    assert_eq!(storage.list(None).await.unwrap().len(), 6);
    let direct = opened(&server.url("bucket/p"), &[]);
    assert_eq!(direct.list(None).await.unwrap().len(), 6);
}
