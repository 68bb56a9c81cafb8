//! Calls that are dropped before they have ended.

use std::pin::pin;
use std::task::{Context, Waker};

use strongroom_storage::{ByteRange, Class, ErrorKind, WriteMode};

use super::{Fixture, content, created, get, listed, path, put};

const SIZE_BYTES: usize = 20 << 20;

/// Drops the future after so many polls, with time for others between two of them.
async fn drop_after<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let mut context = Context::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Ctrl-C during an upload: what has the final name is taken for a whole pack by every later run.
pub async fn a_dropped_write_leaves_nothing_half_done(fixture: &Fixture) {
    let storage = created(fixture).await;
    let file = path("data/ab/file");
    for polls in [0, 1, 2, 3, 10, 1000] {
        let data = content(polls as u64, SIZE_BYTES);
        for mode in [WriteMode::New, WriteMode::Replace] {
            let write = storage.write(&file, data.clone(), mode, Class::Data);
            drop_after(polls, write).await;
            if !storage.capabilities().whole_files {
                continue;
            }
            // The call may still be at work behind our back; whenever we look, the file is whole or absent.
            for _ in 0..20 {
                match storage.read(&file, None, Class::Data).await {
                    Ok(read) => assert_eq!(read.len(), SIZE_BYTES),
                    Err(error) => assert_eq!(error.kind, ErrorKind::NotFound),
                }
                let sizes = listed(storage, None).await;
                assert!(
                    sizes.iter().all(|(_, size)| *size == SIZE_BYTES as u64),
                    "{sizes:?}"
                );
            }
        }
    }
    // And the name can be used again.
    let data = content(99, 1000);
    put(storage, "data/ab/other", data.clone()).await;
    assert!(get(storage, "data/ab/other").await == data);
}

/// A cancelled command shares its storage with the next one.
pub async fn dropped_calls_do_no_harm(fixture: &Fixture) {
    let storage = created(fixture).await;
    let data = content(5, 1 << 20);
    put(storage, "data/ab/kept", data.clone()).await;
    let file = path("data/ab/kept");
    let range = ByteRange {
        offset: 10,
        length: 1000,
    };
    for polls in [0, 1, 2, 5] {
        for class in [Class::Metadata, Class::Data] {
            drop_after(polls, storage.read(&file, None, class)).await;
            drop_after(polls, storage.read(&file, Some(range), class)).await;
        }
        drop_after(polls, storage.stat(&file)).await;
        drop_after(polls, storage.list(None)).await;
        drop_after(polls, storage.create()).await;
        for class in [Class::Metadata, Class::Data] {
            assert!(storage.read(&file, None, class).await.unwrap() == data);
        }
        assert_eq!(listed(storage, None).await.len(), 1);
    }
}
