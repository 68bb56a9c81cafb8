//! A server of restic's protocol behind a line that misbehaves: wrong bytes are never taken for right ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use strongroom_storage::{
    Behaviour, ByteRange, Class, ErrorKind, Location, OpenSettings, Options, Result, Retry,
    RetryObserver, Storage, StorageError, StoragePath, Surroundings, WriteMode, open,
};
use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

/// What was tried again, with the pause.
type Seen = Arc<Mutex<Vec<(ErrorKind, Duration)>>>;

fn opened(address: &str, options: &[&str]) -> (Arc<dyn Storage>, Seen) {
    let quickly = ["retry.first-pause=1ms", "retry.longest-pause=2ms"];
    let options = quickly.iter().chain(options).copied();
    let options = Options::parse(options).unwrap();
    let seen = Seen::default();
    let tell = Arc::clone(&seen);
    let observer: RetryObserver = Arc::new(move |error: &StorageError, pause| {
        tell.lock().unwrap().push((error.kind, pause));
    });
    let settings = OpenSettings {
        options: &options,
        surroundings: &Surroundings::default(),
        behaviour: Behaviour::new(&options).unwrap(),
        observer,
    };
    let location = Location::parse(address).unwrap();
    (open(&location, &settings).unwrap().storage, seen)
}

fn path() -> StoragePath {
    StoragePath::new("strongroom/trash/a").unwrap()
}

fn content() -> Bytes {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn is_upload(asked: &HttpAsked) -> bool {
    asked.method == "POST" && asked.body_bytes > 0
}

fn is_download(asked: &HttpAsked) -> bool {
    asked.method == "GET"
}

/// A storage with a file, through a proxy in which the first download or upload meets the fault.
async fn through(fault: HttpFault) -> (OurRest, FaultProxy, Arc<dyn Storage>, Seen) {
    let server = OurRest::start(|_| {});
    let clean = opened(&server.url("r"), &[]).0;
    clean.create().await.unwrap();
    let proxy = FaultProxy::nth(
        &server.host(),
        0,
        |asked| is_upload(asked) || is_download(asked),
        fault,
    );
    let address = format!("rest:http://{}/r/", proxy.host());
    let (storage, seen) = opened(&address, &["limit.no-progress=300ms"]);
    (server, proxy, storage, seen)
}

async fn put(storage: &dyn Storage, mode: WriteMode) -> Result<()> {
    storage.write(&path(), content(), mode, Class::Data).await
}

fn every_fault() -> Vec<HttpFault> {
    let mut faults = vec![
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::Stall,
        HttpFault::Twice,
        HttpFault::Drip,
        HttpFault::FlipRequest(777),
        HttpFault::ShortRequest(10),
    ];
    faults.extend([408, 429, 500, 502, 503, 504].map(HttpFault::Status));
    faults
}

/// Whatever happens to an upload, the file is there once and whole, or the caller is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_every_fault() {
    for fault in every_fault() {
        let (server, _proxy, storage, _) = through(fault.clone()).await;
        for mode in [WriteMode::New, WriteMode::Replace] {
            match put(&*storage, mode).await {
                // The answer is that to the second of two equal requests: a file of that name is there, which is true.
                Err(error)
                    if fault == HttpFault::Twice && error.kind == ErrorKind::AlreadyExists => {}
                done => done.unwrap_or_else(|error| panic!("{fault:?}: {error}")),
            }
            let stored = std::fs::read(server.folder("r").join(path().as_str())).unwrap();
            assert!(stored == content(), "{fault:?}");
        }
    }
}

/// A blob that is cut or changed on the way cannot be decrypted; one that is filled up with nothing is worse.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_survives_every_fault() {
    let of_answers = [
        HttpFault::ResetAnswerAfter(1000),
        HttpFault::CutAnswer(1000),
        HttpFault::ShortAnswer(1000),
        HttpFault::LongAnswer(1000),
        HttpFault::StallAfter(1000),
    ];
    for fault in every_fault().into_iter().chain(of_answers) {
        let (server, _proxy, storage, _) = through(fault.clone()).await;
        put(&*opened(&server.url("r"), &[]).0, WriteMode::New)
            .await
            .unwrap();
        let (offset, length) = (5000, 100_000);
        let range = Some(ByteRange { offset, length });
        let read = storage.read(&path(), range, Class::Data).await;
        let read = read.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(read == content()[5000..105_000], "{fault:?}");
    }
}

/// A flipped bit in a pack that has been stored is found by a check, maybe a year later.
#[tokio::test(flavor = "multi_thread")]
async fn damage_on_the_way_in_is_refused_and_sent_again() {
    let (server, proxy, storage, seen) = through(HttpFault::FlipRequest(100_000)).await;
    put(&*storage, WriteMode::New).await.unwrap();
    assert_eq!(seen.lock().unwrap()[0].0, ErrorKind::Mismatch);
    assert_eq!(
        proxy
            .asked()
            .iter()
            .filter(|asked| is_upload(asked))
            .count(),
        2
    );
    let stored = std::fs::read(server.folder("r").join(path().as_str())).unwrap();
    assert!(stored == content());
}

/// What cannot pass ends at once: no account is locked by it, and nobody waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_not_tried_again() {
    for (status, kind) in [
        (401, ErrorKind::Unauthenticated),
        (403, ErrorKind::PermissionDenied),
        (507, ErrorKind::NoSpace),
        (501, ErrorKind::Unsupported),
    ] {
        let (_server, proxy, storage, seen) = through(HttpFault::Status(status)).await;
        let error = put(&*storage, WriteMode::New).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{status}");
        assert!(seen.lock().unwrap().is_empty());
        assert_eq!(
            proxy
                .asked()
                .iter()
                .filter(|asked| is_upload(asked))
                .count(),
            1
        );
    }
}

/// A client that comes back too soon is throttled again.
#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_pause_is_kept() {
    let pause = HttpFault::StatusWithPause(429, "1".to_owned());
    let (_server, _proxy, storage, seen) = through(pause).await;
    put(&*storage, WriteMode::New).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [(ErrorKind::Throttled, Duration::from_secs(1))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_longer_than_anybody_waits_is_an_error_now() {
    let pause = HttpFault::StatusWithPause(503, "86400".to_owned());
    let (_server, _proxy, storage, seen) = through(pause).await;
    let error = put(&*storage, WriteMode::New).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert!(error.to_string().contains("86400 s"), "{error}");
    assert!(seen.lock().unwrap().is_empty());
}

/// T-24: a server that says nothing held a slot for ever; the message says which limit ended it.
#[tokio::test(flavor = "multi_thread")]
async fn t24_silence_ends_a_call_and_the_limit_is_named() {
    let server = OurRest::start(|_| {});
    let proxy = FaultProxy::start(&server.host(), |_| HttpFault::Stall);
    let address = format!("rest:http://{}/r/", proxy.host());
    let limits = ["limit.no-progress=50ms", "retry.first-contact=200ms"];
    let (storage, _) = opened(&address, &limits);
    let error = storage.stat(&path()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(error.to_string().contains("limit.no-progress"), "{error}");
}

/// An expired sign-in in the middle of a backup: a fresh password is asked for once, and the call goes on.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_password_is_fetched_anew() {
    let server = RcloneRest::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "try-me").unwrap();
    let option = format!("rest.password-file={}", file.display());
    let address = format!("rest:http://{}/r/", server.host());
    let options = ["rest.user=ada", option.as_str()];
    let (storage, _) = opened(&address, &options);
    storage.create().await.unwrap();

    // The client knows the old one, and the file has a new one.
    let proxy = FaultProxy::nth(server.host(), 1, |_| true, HttpFault::Status(401));
    let (storage, _) = opened(&format!("rest:http://{}/r/", proxy.host()), &options);
    storage.create().await.unwrap();
    let lock = StoragePath::new("locks/a").unwrap();
    let written = storage.write(
        &lock,
        Bytes::from_static(b"x"),
        WriteMode::New,
        Class::Metadata,
    );
    written.await.unwrap();

    // Where nothing fresh can be had, it ends, and says that it was good before.
    let proxy = FaultProxy::start(server.host(), |asked| match asked.number {
        0 => HttpFault::None,
        _ => HttpFault::Status(401),
    });
    let address = format!("rest:http://ada:try-me@{}/r/", proxy.host());
    let (storage, _) = opened(&address, &[]);
    storage.create().await.unwrap();
    let error = storage.stat(&lock).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(
        error.to_string().contains("expired or were revoked"),
        "{error}"
    );
    assert_eq!(proxy.asked().len(), 2);
}

/// A line shared with others is not taken whole.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_and_come_no_faster_than_allowed() {
    let server = OurRest::start(|_| {});
    let address = server.url("r");
    let limits = ["limit.upload=4MiB/s", "limit.download=4MiB/s"];
    let (storage, _) = opened(&address, &limits);
    storage.create().await.unwrap();
    let begun = std::time::Instant::now();
    put(&*storage, WriteMode::New).await.unwrap();
    let sent = begun.elapsed();
    storage.read(&path(), None, Class::Data).await.unwrap();
    let both = begun.elapsed();
    // 800 kB at 4 MiB/s, less what passes at once: never sooner, however fast the machine is.
    assert!(sent >= Duration::from_millis(70), "{sent:?}");
    assert!(both >= Duration::from_millis(140), "{both:?}");
}
