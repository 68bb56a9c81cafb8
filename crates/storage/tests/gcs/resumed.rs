//! STO-03: a large upload that broke off goes on where it was.

use std::sync::Arc;

use strongroom_storage::{Class, ErrorKind, Storage, WriteMode};
use strongroom_testkit::servers::Gcs;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::objects::{content, opened, path, with};

const CHUNK_BYTES: usize = 1 << 20;
const CHUNKS: usize = 6;

fn is_piece(asked: &HttpAsked) -> bool {
    asked.method == "PUT" && asked.body_bytes > 0
}

fn sent(proxy: &FaultProxy) -> usize {
    let asked = proxy.asked();
    asked
        .iter()
        .filter(|a| is_piece(a))
        .map(|a| a.body_bytes)
        .sum()
}

fn behind(proxy: &FaultProxy, more: &[&str]) -> Arc<dyn Storage> {
    let more = [&["gcs.chunk-size=1MiB"][..], more].concat();
    opened("gs:box:/", &with(Gcs::options_at(&proxy.host()), &more)).0
}

/// Whoever sends everything again after each break never ends, over a line that breaks often enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_where_it_was() {
    let server = Gcs::start();
    let data = content(1, CHUNK_BYTES * CHUNKS + 1000);
    let clean = opened("gs:box:/", &server.options()).0;
    clean.create().await.unwrap();
    let faults = [
        (HttpFault::Reset, 1),
        (HttpFault::LostAnswer, 0),
        (HttpFault::StatusAfter(503), 0),
        (HttpFault::Status(500), 1),
    ];
    for (round, (fault, again)) in faults.into_iter().enumerate() {
        for by_itself in [true, false] {
            let proxy = FaultProxy::nth(server.host(), 3, is_piece, fault.clone());
            let file = path(&format!("data/{round}{by_itself}"));
            if by_itself {
                let storage = behind(&proxy, &[]);
                let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
                write.await.unwrap();
            } else {
                let storage = behind(&proxy, &["retry.upload=0s"]);
                let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
                write.await.unwrap_err();
                assert!(clean.stat(&file).await.is_err(), "half a file");
                let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
                write.await.unwrap();
            }
            assert_eq!(
                sent(&proxy) - data.len(),
                again * CHUNK_BYTES,
                "{fault:?}: bytes sent twice"
            );
            assert!(clean.read(&file, None, Class::Data).await.unwrap() == data);
        }
    }
}

/// The answer to the last piece is the one that says that the file is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_end_was_not_heard_is_not_sent_again() {
    let server = Gcs::start();
    let data = content(2, CHUNK_BYTES * 2);
    let proxy = FaultProxy::nth(server.host(), 1, is_piece, HttpFault::LostAnswer);
    let storage = behind(&proxy, &[]);
    storage.create().await.unwrap();
    let file = path("data/a");
    let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
    write.await.unwrap();
    assert!(storage.read(&file, None, Class::Data).await.unwrap() == data);
}

/// Bytes that go on where others began make a file that is neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_under_the_same_name_take_nothing_over() {
    let server = Gcs::start();
    let proxy = FaultProxy::nth(server.host(), 1, is_piece, HttpFault::Reset);
    let storage = behind(&proxy, &["retry.upload=0s"]);
    storage.create().await.unwrap();
    let file = path("data/a");
    let (first, second) = (content(1, CHUNK_BYTES * 3), content(2, CHUNK_BYTES * 3));
    let write = storage.write(&file, first, WriteMode::New, Class::Data);
    assert_eq!(write.await.unwrap_err().kind, ErrorKind::Unreachable);
    let write = storage.write(&file, second.clone(), WriteMode::New, Class::Data);
    write.await.unwrap();
    assert!(storage.read(&file, None, Class::Data).await.unwrap() == second);
}
