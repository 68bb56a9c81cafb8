//! Repairs as a process carries them out, and what of a repository can be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::own_files::OwnFolder;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{
    IndexRepairOptions, IndexRepairReport, PacksRepairReport, PacksToRepair,
    SnapshotsRepairOptions, SnapshotsRepairReport,
};
use strongroom_repository::{FileKind, Repository, Result};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use tokio_util::sync::CancellationToken;

use crate::fixture::locks;

pub fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

async fn locked<T>(
    repository: &Repository,
    work: impl AsyncFnOnce(&Lock, &CancellationToken) -> Result<T>,
) -> Result<T> {
    // A lock of a repair that was stopped is a matter of other tests.
    let options = LockOptions {
        disabled: !repository.list(FileKind::Lock).await?.is_empty(),
        ..locks()
    };
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(Access::Exclusive, &options, &cancel)
        .await?;
    let result = work(&lock, &cancel).await;
    let _ = lock.release().await;
    result
}

pub async fn repair_index(repository: &Repository, read_all: bool) -> Result<IndexRepairReport> {
    let options = IndexRepairOptions {
        read_all_packs: read_all,
    };
    locked(repository, async |lock, cancel| {
        let plan = repository.plan_repair_index(options, &Silent, cancel);
        let plan = plan.await?;
        repository
            .repair_index(plan, now(), lock, &Silent, cancel)
            .await
    })
    .await
}

pub async fn repair_packs(
    repository: &Repository,
    which: PacksToRepair,
) -> Result<(Vec<(BlobKind, Id)>, PacksRepairReport)> {
    locked(repository, async |lock, cancel| {
        let plan = repository.plan_repair_packs(&which, 100, &Silent, cancel);
        let plan = plan.await?;
        let lost = plan.lost.clone();
        let report = repository
            .repair_packs(plan, now(), lock, &Silent, cancel)
            .await?;
        Ok((lost, report))
    })
    .await
}

pub async fn repair_snapshots(
    repository: &Repository,
    forget: bool,
) -> Result<SnapshotsRepairReport> {
    let options = SnapshotsRepairOptions {
        forget,
        paths_max: 100,
        ..SnapshotsRepairOptions::default()
    };
    locked(repository, async |lock, cancel| {
        let plan = repository.plan_repair_snapshots(&options, &Silent, cancel);
        let plan = plan.await?;
        repository
            .repair_snapshots(plan, now(), lock, &Silent, cancel)
            .await
    })
    .await
}

/// Every blob that is found through the index and is whole, with its content's length.
pub async fn readable(repository: &Repository) -> BTreeMap<(bool, Id), usize> {
    let (index, _) = repository.load_index_tolerant(&Silent).await.unwrap();
    let mut readable = BTreeMap::new();
    for kind in [BlobKind::Data, BlobKind::Tree] {
        for blob in index.blobs(kind) {
            if let Ok(content) = repository.load_blob(&index, kind, &blob.id).await {
                readable.insert((kind == BlobKind::Tree, blob.id), content.len());
            }
        }
    }
    readable
}

/// Fails if something that could be read cannot be any more.
#[track_caller]
pub fn assert_nothing_lost(
    before: &BTreeMap<(bool, Id), usize>,
    after: &BTreeMap<(bool, Id), usize>,
    when: &str,
) {
    let lost: Vec<_> = before
        .keys()
        .filter(|blob| !after.contains_key(blob))
        .collect();
    assert!(lost.is_empty(), "{when}: lost {lost:?}");
}

/// What lies in the quarantine.
pub async fn quarantine(repository: &Repository) -> Vec<String> {
    let files = repository.list_own(OwnFolder::Quarantine).await.unwrap();
    let mut names: Vec<String> = files.into_iter().map(|file| file.name).collect();
    names.sort();
    names
}

pub async fn bytes(storage: &dyn Storage, path: &StoragePath) -> Vec<u8> {
    let class = strongroom_storage::Class::Data;
    storage.read(path, None, class).await.unwrap().to_vec()
}

/// The same repository on another storage.
pub fn on(repository: &Repository, storage: &MemoryStorage) -> Repository {
    repository.with_storage(Arc::new(storage.clone()))
}
