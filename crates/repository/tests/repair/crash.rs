//! Story T-35: a repair that is stopped after any of its storage calls loses nothing that could be read before, and the next one
//! goes on from there.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::PacksToRepair;
use strongroom_repository::{Repository, Result};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::FaultyStorage;
use strongroom_testkit::engine::open_repository;

use crate::fixture::{Fixture, check, files, in_memory, overwrite};
use crate::scene::{
    assert_nothing_lost, on, readable, repair_index, repair_packs, repair_snapshots,
};

/// One index file cannot be read, one pack is gone, one is cut off, one has a flipped bit.
pub async fn damaged() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    fixture.write("third", 8, 300_000);
    fixture.backup();
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let packs = files(&storage, "data").await;
    storage.delete(&packs[0]).await.unwrap();
    overwrite(&storage, &packs[1], |content| {
        content.truncate(content.len() / 2);
    })
    .await;
    overwrite(&storage, &packs[2], |content| content[50] ^= 1).await;
    let index = files(&storage, "index").await[0].clone();
    overwrite(&storage, &index, |content| content[40] ^= 1).await;
    (fixture, storage, repository)
}

/// Stops the operation everywhere. Returns how many calls it makes.
async fn stop_everywhere(
    start: &MemoryStorage,
    repository: &Repository,
    operation: impl AsyncFn(&Repository) -> Result<()>,
) -> usize {
    let before = readable(&on(repository, start)).await;
    let finished = start.fork();
    operation(&on(repository, &finished)).await.unwrap();
    let finished = readable(&on(repository, &finished)).await;
    assert_nothing_lost(&before, &finished, "undisturbed");
    let originals = repository.with_storage(Arc::new(start.clone()));
    let (originals, _) = originals.load_snapshots_tolerant(&Silent).await.unwrap();
    for calls in 0.. {
        let storage = start.fork();
        let faulty = FaultyStorage::stops_after(Arc::new(storage.clone()), calls);
        let result = operation(&repository.with_storage(Arc::new(faulty))).await;
        let left = on(repository, &storage);
        let when = format!("stopped after {calls} calls");
        assert_nothing_lost(&before, &readable(&left).await, &when);
        let (now, _) = left.load_snapshots_tolerant(&Silent).await.unwrap();
        for old in &originals {
            let is_there = |id| now.iter().any(|file| file.id == id);
            let is_replaced = now
                .iter()
                .any(|file| file.snapshot.original == Some(old.id));
            let kept = quarantined(&storage, &old.id.to_hex()).await;
            assert!(
                is_there(old.id) || is_replaced || kept,
                "{when}: {}",
                old.id
            );
        }
        operation(&left)
            .await
            .unwrap_or_else(|error| panic!("{when}, again: {error}"));
        assert_nothing_lost(&finished, &readable(&left).await, &format!("{when}, again"));
        if result.is_ok() {
            return calls;
        }
    }
    unreachable!()
}

async fn quarantined(storage: &MemoryStorage, id: &str) -> bool {
    let files = files(storage, "strongroom/quarantine").await;
    files.iter().any(|path| path.as_str().contains(id))
}

#[tokio::test(flavor = "multi_thread")]
async fn t35_a_repair_of_the_index_can_be_stopped_anywhere() {
    let (_fixture, storage, repository) = damaged().await;
    let calls = stop_everywhere(&storage, &repository, async |repository| {
        repair_index(repository, true).await.map(drop)
    })
    .await;
    assert!(calls > 20, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t35_a_repair_of_packs_can_be_stopped_anywhere() {
    let (_fixture, storage, repository) = damaged().await;
    repair_index(&repository, false).await.unwrap();
    let calls = stop_everywhere(&storage, &repository, async |repository| {
        repair_packs(repository, PacksToRepair::ReadAll)
            .await
            .map(drop)
    })
    .await;
    assert!(calls > 20, "{calls}");
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    assert_eq!(check(&repository, ReadData::All).await.broken_packs(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn t35_a_repair_of_snapshots_can_be_stopped_anywhere() {
    let (_fixture, storage, repository) = damaged().await;
    repair_index(&repository, false).await.unwrap();
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    for forget in [false, true] {
        let calls = stop_everywhere(&storage, &repository, async |repository| {
            repair_snapshots(repository, forget).await.map(drop)
        })
        .await;
        assert!(calls > 10, "{calls}");
    }
}
