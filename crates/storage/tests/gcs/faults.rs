//! The service behind a line that misbehaves: wrong bytes are never taken for right ones.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class, ErrorKind, Retry, Storage, WriteMode};
use strongroom_testkit::servers::Gcs;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::objects::{Seen, content, opened, path, with};

const SIZE_BYTES: usize = 800_000;

fn file() -> Bytes {
    content(7, SIZE_BYTES)
}

/// Whatever moves bytes of a file, and what a session begins with.
fn moves(asked: &HttpAsked) -> bool {
    asked.path.starts_with("/upload") || asked.path.contains("alt=media")
}

fn behind(proxy: &FaultProxy, more: &[&str]) -> (Arc<dyn Storage>, Seen) {
    opened("gs:box:/", &with(Gcs::options_at(&proxy.host()), more))
}

fn every_fault() -> Vec<HttpFault> {
    let mut faults = vec![
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::Stall,
        HttpFault::Twice,
        HttpFault::Drip,
    ];
    faults.extend([408, 429, 500, 502, 503, 504].map(HttpFault::Status));
    faults
}

/// Whatever happens to an upload, the file is there once and whole, or the caller is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_survives_every_fault() {
    let server = Gcs::start();
    let clean = opened("gs:box:/", &server.options()).0;
    clean.create().await.unwrap();
    // In a session: beginning it, sending a piece, and the last one.
    for (chunks, steps) in [
        ("gcs.chunk-size=1MiB", vec![0]),
        ("gcs.chunk-size=256KiB", vec![0, 1, 4]),
    ] {
        for nth in steps {
            for fault in every_fault() {
                let name = path("data/a");
                let proxy = FaultProxy::nth(server.host(), nth, moves, fault.clone());
                let (storage, _) = behind(&proxy, &[chunks, "limit.no-progress=300ms"]);
                let write = storage.write(&name, file(), WriteMode::New, Class::Data);
                match write.await {
                    // The answer is that to the second of two equal requests: a file of that name is there, which is true.
                    Err(error)
                        if fault == HttpFault::Twice && error.kind == ErrorKind::AlreadyExists => {}
                    done => done.unwrap_or_else(|error| panic!("{fault:?} at {nth}: {error}")),
                }
                let stored = clean.read(&name, None, Class::Data).await.unwrap();
                assert!(stored == file(), "{fault:?} at {nth}");
                clean.delete(&name).await.unwrap();
            }
        }
    }
}

/// A flipped bit in a pack that has been stored is found by a check, maybe a year later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_on_the_way_in_is_refused_and_sent_again() {
    let server = Gcs::start();
    for (name, chunks) in [
        ("data/a", "gcs.chunk-size=1MiB"),
        ("data/b", "gcs.chunk-size=256KiB"),
    ] {
        let is_upload = |asked: &HttpAsked| asked.body_bytes > 200_000;
        let proxy = FaultProxy::nth(server.host(), 0, is_upload, HttpFault::FlipRequest(100_000));
        let (storage, seen) = behind(&proxy, &[chunks]);
        storage.create().await.unwrap();
        let name = path(name);
        let write = storage.write(&name, file(), WriteMode::New, Class::Data);
        write.await.unwrap();
        assert_eq!(seen.lock().unwrap()[0].0, ErrorKind::Mismatch);
        let stored = storage.read(&name, None, Class::Data).await.unwrap();
        assert!(stored == file());
    }
}

/// A blob that is cut or changed on the way cannot be decrypted; one that is filled up with nothing is worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_survives_every_fault() {
    let server = Gcs::start();
    let clean = opened("gs:box:/", &server.options()).0;
    clean.create().await.unwrap();
    let name = path("data/a");
    let write = clean.write(&name, file(), WriteMode::New, Class::Data);
    write.await.unwrap();
    let of_answers = [
        HttpFault::ResetAnswerAfter(1000),
        HttpFault::CutAnswer(1000),
        HttpFault::ShortAnswer(1000),
        HttpFault::LongAnswer(1000),
        HttpFault::StallAfter(1000),
    ];
    let range = ByteRange {
        offset: 5000,
        length: 100_000,
    };
    for fault in every_fault().into_iter().chain(of_answers) {
        let proxy = FaultProxy::nth(server.host(), 0, moves, fault.clone());
        let (storage, _) = behind(&proxy, &["limit.no-progress=300ms"]);
        let read = storage.read(&name, Some(range), Class::Data).await;
        let read = read.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(read == file()[5000..105_000], "{fault:?}");
    }
    // A whole file is compared with the checksum that the service keeps: keys and indexes are read so.
    for fault in [HttpFault::FlipAnswer(5), HttpFault::ShortAnswer(1000)] {
        let proxy = FaultProxy::nth(server.host(), 0, moves, fault.clone());
        let (storage, seen) = behind(&proxy, &[]);
        let read = storage.read(&name, None, Class::Data).await.unwrap();
        assert!(read == file(), "{fault:?}");
        assert_eq!(seen.lock().unwrap()[0].0, ErrorKind::Mismatch, "{fault:?}");
    }
}

/// What cannot pass ends at once: nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_is_not_tried_again() {
    let server = Gcs::start();
    let clean = opened("gs:box:/", &server.options()).0;
    clean.create().await.unwrap();
    for chunks in ["gcs.chunk-size=1MiB", "gcs.chunk-size=256KiB"] {
        for (status, kind) in [
            (403, ErrorKind::PermissionDenied),
            (412, ErrorKind::AlreadyExists),
            (501, ErrorKind::Unsupported),
        ] {
            let nth = usize::from(chunks.contains("256KiB"));
            let proxy = FaultProxy::nth(server.host(), nth, moves, HttpFault::Status(status));
            let (storage, seen) = behind(&proxy, &[chunks]);
            let name = path("data/a");
            let write = storage.write(&name, file(), WriteMode::New, Class::Data);
            let error = write.await.unwrap_err();
            assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{status}");
            assert!(seen.lock().unwrap().is_empty());
        }
    }
}
