//! STO-03: a large upload that broke off goes on where it was.

use strongroom_storage::{Class, ErrorKind, WriteMode};
use strongroom_testkit::servers::Azurite;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::objects::{content, opened, path, with};

const BLOCK_BYTES: usize = 1 << 20;
const BLOCKS: usize = 8;

fn is_block(asked: &HttpAsked) -> bool {
    asked.method == "PUT" && asked.path.contains("comp=block&")
}

fn sent(proxy: &FaultProxy) -> usize {
    let asked = proxy.asked();
    asked
        .iter()
        .filter(|a| is_block(a))
        .map(|a| a.body_bytes)
        .sum()
}

/// Whoever sends everything again after each break never ends, over a line that breaks often enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_blocks_that_are_missing_are_sent_again() {
    let server = Azurite::start();
    let data = content(1, BLOCK_BYTES * BLOCKS);
    let one_by_one = [
        "azure.connections=1",
        "azure.block-size=1MiB",
        "retry.upload=0s",
    ];
    let clean = opened("azure:box:/", &server.options()).0;
    clean.create().await.unwrap();
    for (round, fault) in [HttpFault::Reset, HttpFault::LostAnswer]
        .into_iter()
        .enumerate()
    {
        let was_stored = usize::from(fault == HttpFault::LostAnswer);
        let proxy = FaultProxy::nth(server.host(), 5, is_block, fault);
        let mut options = Azurite::options_at(&proxy.host());
        options.push(server.key_option());
        let (storage, _) = opened("azure:box:/", &with(options.clone(), &one_by_one));
        let file = path(&format!("data/{round}"));
        let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
        let error = write.await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        assert!(
            clean.list(None).await.unwrap().len() == round,
            "half a file"
        );
        // Another process, which knows nothing of the first.
        let (storage, _) = opened("azure:box:/", &with(options, &one_by_one));
        let write = storage.write(&file, data.clone(), WriteMode::New, Class::Data);
        write.await.unwrap();
        let again = sent(&proxy) - data.len();
        assert_eq!(again, (1 - was_stored) * BLOCK_BYTES, "bytes sent twice");
        assert!(clean.read(&file, None, Class::Data).await.unwrap() == data);
    }
}

/// The same by itself, where the retries are on; and what lies there is not touched by a second upload of another content.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_under_the_same_name_take_nothing_over() {
    let server = Azurite::start();
    let proxy = FaultProxy::nth(server.host(), 5, is_block, HttpFault::Reset);
    let mut options = Azurite::options_at(&proxy.host());
    options.push(server.key_option());
    let more = [
        "azure.connections=1",
        "azure.block-size=1MiB",
        "retry.upload=0s",
    ];
    let (storage, _) = opened("azure:box:/", &with(options, &more));
    storage.create().await.unwrap();
    let file = path("data/a");
    let (first, second) = (
        content(1, BLOCK_BYTES * BLOCKS),
        content(2, BLOCK_BYTES * BLOCKS),
    );
    let write = storage.write(&file, first, WriteMode::New, Class::Data);
    write.await.unwrap_err();
    let write = storage.write(&file, second.clone(), WriteMode::New, Class::Data);
    write.await.unwrap();
    assert!(storage.read(&file, None, Class::Data).await.unwrap() == second);
}

/// Memory and requests at the same time stay within what was set, also within one file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_a_file_go_at_the_same_time_and_the_tier_is_asked_for() {
    let server = Azurite::start();
    let more = ["azure.block-size=1MiB", "azure.access-tier=cool"];
    let (storage, seen) = opened("azure:box:/", &with(server.options(), &more));
    storage.create().await.unwrap();
    let data = content(3, BLOCK_BYTES * BLOCKS + 1);
    let file = path("data/a");
    let write = storage.write(&file, data.clone(), WriteMode::Replace, Class::Data);
    write.await.unwrap();
    assert!(storage.read(&file, None, Class::Data).await.unwrap() == data);
    assert!(seen.lock().unwrap().is_empty());
}
