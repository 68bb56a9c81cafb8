//! A server behind a line that misbehaves: wrong bytes are never taken for right ones.

use std::sync::Arc;

use strongroom_storage::{ByteRange, Class, ErrorKind, Retry, Storage, WriteMode};
use strongroom_testkit::servers::ApacheDav;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::opened::{Seen, content, opened, opened_and_seen, path, put};

const NAME: &str = "data/ab/a";

/// A storage through a proxy in which the first request with this method meets the fault.
async fn through(
    server: &ApacheDav,
    method: &'static str,
    fault: HttpFault,
) -> (FaultProxy, Arc<dyn Storage>, Seen) {
    let _ = std::fs::remove_dir_all(server.root().join("r"));
    opened(&server.url("r"), &[]).create().await.unwrap();
    let is_silence = matches!(fault, HttpFault::Stall | HttpFault::StallAfter(_));
    let picks = move |asked: &HttpAsked| asked.method == method;
    let proxy = FaultProxy::nth(server.host(), 0, picks, fault);
    let address = format!("webdav://ada:try-me@{}/r/", proxy.host());
    let options: &[&str] = match is_silence {
        true => &["limit.no-progress=300ms"],
        false => &[],
    };
    let (storage, seen) = opened_and_seen(&address, options);
    (proxy, storage, seen)
}

fn every_fault() -> Vec<HttpFault> {
    let mut faults = vec![
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::Stall,
        HttpFault::Drip,
    ];
    faults.extend([408, 423, 429, 500, 502, 503, 504].map(HttpFault::Status));
    faults
}

/// Whatever happens on the way of a file to the server, it is there once and whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_every_fault_in_each_of_its_steps() {
    let server = ApacheDav::basic();
    for method in ["MKCOL", "PUT", "PROPFIND", "MOVE"] {
        let mut faults = every_fault();
        match method {
            "PUT" => faults.extend([HttpFault::ShortRequest(10), HttpFault::Twice]),
            "PROPFIND" => faults.extend([
                HttpFault::ShortAnswer(100),
                HttpFault::CutAnswer(100),
                HttpFault::ResetAnswerAfter(100),
            ]),
            _ => {}
        }
        for fault in faults {
            let (_proxy, storage, _) = through(&server, method, fault.clone()).await;
            for mode in [WriteMode::New, WriteMode::Replace] {
                let done = put(&*storage, NAME, mode).await;
                done.unwrap_or_else(|error| panic!("{method} {fault:?} {mode:?}: {error}"));
                let stored = std::fs::read(server.root().join("r").join(NAME)).unwrap();
                assert!(stored == content(), "{method} {fault:?} {mode:?}");
            }
        }
    }
}

/// A blob that is cut or changed on the way cannot be decrypted; one that is filled up with nothing is worse.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_survives_every_fault() {
    let server = ApacheDav::basic();
    let of_answers = [
        HttpFault::ResetAnswerAfter(1000),
        HttpFault::CutAnswer(1000),
        HttpFault::ShortAnswer(1000),
        HttpFault::LongAnswer(1000),
        HttpFault::StallAfter(1000),
    ];
    for fault in every_fault().into_iter().chain(of_answers) {
        let (_proxy, storage, _) = through(&server, "GET", fault.clone()).await;
        put(&*opened(&server.url("r"), &[]), NAME, WriteMode::New)
            .await
            .unwrap();
        let (offset, length) = (5000, 100_000);
        let range = Some(ByteRange { offset, length });
        let read = storage.read(&path(NAME), range, Class::Data).await;
        let read = read.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(read == content()[5000..105_000], "{fault:?}");
    }
}

/// A server that does not know ranges sends the whole file; the wrong part of it would be taken for a damaged blob.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_ranges_is_read_in_parts_all_the_same() {
    let server = ApacheDav::basic();
    opened(&server.url("r"), &[]).create().await.unwrap();
    let proxy = FaultProxy::start(server.host(), |_| HttpFault::WithoutHeader("range"));
    let storage = opened(&format!("webdav://ada:try-me@{}/r/", proxy.host()), &[]);
    put(&*storage, NAME, WriteMode::New).await.unwrap();
    let size = content().len() as u64;
    for (offset, length) in [(0, size), (0, 1), (123_456, 100_001), (size - 1, 1)] {
        let range = Some(ByteRange { offset, length });
        let read = storage.read(&path(NAME), range, Class::Data).await;
        let (first, end) = (offset as usize, (offset + length) as usize);
        assert!(read.unwrap() == content()[first..end], "{offset} {length}");
    }
    for (offset, length) in [(0, size + 1), (size, 1), (size - 1, 2)] {
        let range = Some(ByteRange { offset, length });
        let read = storage.read(&path(NAME), range, Class::Data).await;
        assert_eq!(read.unwrap_err().kind, ErrorKind::RangeOutside);
    }
}

/// What the server has not got in full never gets its name, not even for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_arrived_short_is_sent_again_before_it_is_named() {
    let server = ApacheDav::basic();
    let (proxy, storage, seen) = through(&server, "PUT", HttpFault::ShortRequest(10)).await;
    put(&*storage, NAME, WriteMode::New).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [ErrorKind::Mismatch]);
    let asked = proxy.asked();
    let moves = asked.iter().filter(|asked| asked.method == "MOVE").count();
    assert_eq!(moves, 1);
}

/// A listing that ends early and is believed loses snapshots.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_cut_is_asked_for_again() {
    let server = ApacheDav::basic();
    for fault in [
        HttpFault::ShortAnswer(700),
        HttpFault::CutAnswer(700),
        HttpFault::Status(500),
    ] {
        let (_proxy, storage, seen) = through(&server, "PROPFIND", fault.clone()).await;
        let clean = opened(&server.url("r"), &[]);
        for name in ["config", "keys/a", NAME] {
            put(&*clean, name, WriteMode::New).await.unwrap();
        }
        assert_eq!(storage.list(None).await.unwrap().len(), 3, "{fault:?}");
        assert_eq!(seen.lock().unwrap().len(), 1, "{fault:?}");
    }
}

/// What cannot pass ends at once: no account is locked by it, and nobody waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_not_tried_again() {
    let server = ApacheDav::basic();
    for (status, kind) in [
        (403, ErrorKind::PermissionDenied),
        (405, ErrorKind::Unsupported),
        (413, ErrorKind::Unsupported),
        (507, ErrorKind::NoSpace),
        (301, ErrorKind::Io),
    ] {
        let (_proxy, storage, seen) = through(&server, "PUT", HttpFault::Status(status)).await;
        let error = put(&*storage, NAME, WriteMode::New).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{status}");
        assert!(seen.lock().unwrap().is_empty());
    }
}

/// Some servers say 403 where a name is taken, which must not be taken for missing rights, nor the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_name_is_looked_into() {
    let server = ApacheDav::basic();
    for is_taken in [true, false] {
        let (_proxy, storage, _) = through(&server, "MOVE", HttpFault::Status(403)).await;
        if is_taken {
            let clean = opened(&server.url("r"), &[]);
            put(&*clean, NAME, WriteMode::New).await.unwrap();
        }
        let error = put(&*storage, NAME, WriteMode::New).await.unwrap_err();
        let expected = match is_taken {
            true => ErrorKind::AlreadyExists,
            false => ErrorKind::PermissionDenied,
        };
        assert_eq!(error.kind, expected);
    }
}
