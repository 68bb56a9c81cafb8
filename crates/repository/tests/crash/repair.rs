//! Repairs: what could be read before can be read at every moment, and in the end nothing is left to repair.

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{IndexRepairOptions, PacksToRepair, SnapshotsRepairOptions};
use strongroom_repository::{FileKind, Repository, Result};
use strongroom_storage::{Class, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, locked};

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

/// Repairs as a process does, under an exclusive lock.
async fn repairing(
    repository: &Repository,
    attempt: Attempt,
    repair: impl AsyncFnOnce(&Repository, &Lock) -> Result<()>,
) -> Result<()> {
    let repository = repository.with_storage(attempt.storage);
    locked(
        &repository,
        Access::Exclusive,
        &attempt.locks,
        async |lock| repair(&repository, lock).await,
    )
    .await
}

async fn repair_index(repository: &Repository, lock: &Lock) -> Result<()> {
    let (options, cancel) = (IndexRepairOptions::default(), CancellationToken::new());
    let plan = repository
        .plan_repair_index(options, &Silent, &cancel)
        .await?;
    repository
        .repair_index(plan, now(), lock, &Silent, &cancel)
        .await?;
    Ok(())
}

async fn repair_packs(repository: &Repository, lock: &Lock) -> Result<()> {
    let (packs, cancel) = (PacksToRepair::ReadAll, CancellationToken::new());
    let plan = repository
        .plan_repair_packs(&packs, 10, &Silent, &cancel)
        .await?;
    repository
        .repair_packs(plan, now(), lock, &Silent, &cancel)
        .await?;
    Ok(())
}

async fn repair_snapshots(repository: &Repository, lock: &Lock) -> Result<()> {
    let options = SnapshotsRepairOptions {
        snapshots: None,
        forget: true,
        paths_max: 10,
    };
    let cancel = CancellationToken::new();
    let plan = repository
        .plan_repair_snapshots(&options, &Silent, &cancel)
        .await?;
    repository
        .repair_snapshots(plan, now(), lock, &Silent, &cancel)
        .await?;
    Ok(())
}

async fn files(storage: &MemoryStorage, folder: &str) -> Vec<StoragePath> {
    let folder = StoragePath::new(folder).unwrap();
    let listed = storage.list(Some(&folder)).await.unwrap();
    let mut paths: Vec<StoragePath> = listed.into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

async fn overwrite(storage: &MemoryStorage, path: &StoragePath, change: impl FnOnce(&mut Vec<u8>)) {
    let mut content = storage
        .read(path, None, Class::Data)
        .await
        .unwrap()
        .to_vec();
    change(&mut content);
    let write = storage.write(path, Bytes::from(content), WriteMode::Replace, Class::Data);
    write.await.unwrap();
}

/// The packs of data, or of trees.
async fn packs(repository: &Repository, kind: BlobKind) -> Vec<Id> {
    let index = repository.load_index(&Silent).await.unwrap();
    let mut packs: Vec<Id> = index.blobs(kind).map(|blob| blob.location.pack).collect();
    packs.sort_unstable();
    packs.dedup();
    packs
}

/// One index file is gone, one is damaged, and a third names a pack under which all is well.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t35_a_repair_of_the_index() {
    let scene = Scene::with_snapshots().await;
    let indexes = files(&scene.storage, "index").await;
    scene.storage.delete(&indexes[0]).await.unwrap();
    overwrite(&scene.storage, &indexes[1], |content| content.truncate(50)).await;
    let tried = CrashPoints::new("repair index", &scene.storage)
        .run(async |attempt| repairing(&scene.repository, attempt, repair_index).await)
        .await;
    assert!(tried.changes > 4 && tried.asked_restic > 0, "{tried:?}");
}

/// Packs whose headers are damaged, and whose blobs are whole.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t35_a_repair_of_packs() {
    let scene = Scene::with_snapshots().await;
    for kind in [BlobKind::Data, BlobKind::Tree] {
        let pack = packs(&scene.repository, kind).await[0];
        let path = FileKind::Pack.path(&pack).unwrap();
        overwrite(&scene.storage, &path, |content| {
            content.truncate(content.len() - 1)
        })
        .await;
    }
    let tried = CrashPoints::new("repair packs", &scene.storage)
        .run(async |attempt| repairing(&scene.repository, attempt, repair_packs).await)
        .await;
    assert!(tried.changes > 5 && tried.asked_restic > 0, "{tried:?}");
}

/// A pack of data is lost for good.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t35_a_repair_of_snapshots() {
    let scene = Scene::with_snapshots().await;
    let pack = packs(&scene.repository, BlobKind::Data).await[0];
    let path = FileKind::Pack.path(&pack).unwrap();
    scene.storage.delete(&path).await.unwrap();
    let attempt = scene.attempt();
    repairing(&scene.repository, attempt, repair_index)
        .await
        .unwrap();
    let tried = CrashPoints::new("repair snapshots", &scene.storage)
        .run(async |attempt| repairing(&scene.repository, attempt, repair_snapshots).await)
        .await;
    assert!(tried.changes > 5 && tried.asked_restic > 0, "{tried:?}");
}
