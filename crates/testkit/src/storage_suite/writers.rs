//! Several callers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Storage, WriteMode};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{Fixture, content, created, get, listed, path, put};

/// Both of two `init`s at once believing that they made the repository: one of them would lose its key.
pub async fn of_two_writers_of_a_new_file_one_wins(fixture: &Fixture) {
    const WRITERS: usize = 8;
    // Large enough that all of them are on their way before the first arrives.
    let data = |writer: usize| content(writer as u64, 1_000_000 + writer);
    let storage = created(fixture).await;
    if !storage.capabilities().whole_files {
        return;
    }
    for round in 0..5 {
        let name = format!("keys/{round}");
        let mut tasks = JoinSet::new();
        let start = Arc::new(Barrier::new(WRITERS));
        for writer in 0..WRITERS {
            let (storage, file) = (fixture.storage.clone(), path(&name));
            let (data, start) = (data(writer), start.clone());
            tasks.spawn(async move {
                start.wait().await;
                let write = storage.write(&file, data, WriteMode::New, Class::Metadata);
                (writer, write.await)
            });
        }
        let results = tasks.join_all().await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            results.into_iter().partition(|(_, result)| result.is_ok());
        for (_, result) in losers {
            assert_eq!(result.unwrap_err().kind, ErrorKind::AlreadyExists);
        }
        assert!(!winners.is_empty());
        let stored = get(storage, &name).await;
        let is_stored = |writer: usize| stored == data(writer);
        assert!(winners.iter().any(|(writer, _)| is_stored(*writer)));
        if storage.capabilities().atomic_new {
            assert_eq!(winners.len(), 1, "round {round}");
        }
    }
}

/// A reader of `config` while it is replaced must get one of the two, or nobody can open the repository.
pub async fn readers_see_the_old_or_the_new_file(fixture: &Fixture) {
    let storage = created(fixture).await;
    if !storage.capabilities().atomic_replace {
        return;
    }
    // Of different lengths, so that a mixture shows in the size as well.
    let versions = [content(1, 300_000), content(2, 200_000)];
    put(storage, "config", versions[0].clone()).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let (storage, versions, done) = (fixture.storage.clone(), versions.clone(), done.clone());
        readers.spawn(async move {
            loop {
                let last = done.load(Ordering::Relaxed);
                let read = get(storage.as_ref(), "config").await;
                assert!(
                    versions.contains(&read),
                    "a mixture of {} bytes",
                    read.len()
                );
                let size = storage.stat(&path("config")).await.unwrap().size_bytes;
                assert!(size == 300_000 || size == 200_000);
                if last {
                    return;
                }
            }
        });
    }
    let file = path("config");
    for round in 1..40 {
        let data = versions[round % 2].clone();
        let write = storage.write(&file, data, WriteMode::Replace, Class::Metadata);
        write.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    readers.join_all().await;
    assert!(get(storage, "config").await == versions[1]);
}

/// Every command runs many calls at once on one storage.
pub async fn many_tasks_work_at_once(fixture: &Fixture) {
    let storage = created(fixture).await;
    let mut tasks = JoinSet::new();
    for task in 0..24_u64 {
        let storage = fixture.storage.clone();
        tasks.spawn(async move {
            let name = format!("data/{:02}/{task}", task % 4);
            for round in 0..5 {
                let data = content(task * 100 + round, 30_000);
                put(storage.as_ref(), &name, data.clone()).await;
                assert!(get(storage.as_ref(), &name).await == data);
                storage.delete(&path(&name)).await.unwrap();
            }
            put(storage.as_ref(), &name, content(task, 100)).await;
        });
    }
    tasks.join_all().await;
    assert_eq!(listed(storage, None).await.len(), 24);
}

/// A check beside a backup must not find half a pack.
pub async fn a_listing_beside_writers_has_whole_files_only(fixture: &Fixture) {
    const SIZE_BYTES: usize = 3_000_000;
    let storage = created(fixture).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let storage: Arc<dyn Storage> = fixture.storage.clone();
        writers.spawn(async move {
            let data: Bytes = content(writer, SIZE_BYTES);
            for file in 0..4 {
                let name = format!("data/{writer:02}/{file}");
                put(storage.as_ref(), &name, data.clone()).await;
            }
        });
    }
    while !writers.is_empty() {
        for (name, size) in listed(storage, None).await {
            let is_whole = size == SIZE_BYTES as u64;
            assert!(
                is_whole || !storage.capabilities().whole_files,
                "{name}: {size}"
            );
        }
        while let Some(writer) = writers.try_join_next() {
            writer.unwrap();
        }
    }
    let files = listed(storage, None).await;
    assert_eq!(files.len(), 16);
    assert!(files.iter().all(|(_, size)| *size == SIZE_BYTES as u64));
}
