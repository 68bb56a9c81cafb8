//! A disk that cannot read a sector of one small file: that file is damaged, and nothing else is.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::format::Id;
use strongroom_repository::parity::recover::needed;
use strongroom_repository::progress::Silent;
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{
    ErrorKind as StorageKind, MemoryStorage, Operation, Retry, Storage, StoragePath,
};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{Asked, Fault, FaultyStorage};

use crate::fixture::{Fixture, assert_sound, check, files, in_memory};
use crate::scene::{on, readable, repair_index, repair_snapshots};

async fn scene() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    (fixture, storage, repository)
}

/// The repository on a storage that fails to read this file.
fn failing(
    repository: &Repository,
    storage: &MemoryStorage,
    path: &StoragePath,
    kind: StorageKind,
    retry: Retry,
) -> Repository {
    let path = path.as_str().to_owned();
    let picks = move |asked: &Asked| asked.is(Operation::Read, &path);
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let faulty = FaultyStorage::every(storage, picks, Fault::Fail(kind, retry));
    repository.with_storage(Arc::new(faulty))
}

fn id(path: &StoragePath) -> Id {
    path.file_name().parse().unwrap()
}

/// All that the file said is in the packs, and is found again through a new one.
#[tokio::test(flavor = "multi_thread")]
async fn t35_an_index_file_on_a_bad_sector_is_replaced_from_the_packs() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    let path = files(&storage, "index").await[0].clone();
    let bad = failing(&repository, &storage, &path, StorageKind::Io, Retry::Never);
    assert!(readable(&bad).await.len() < before.len());
    let unreadable = bad.load_index(&Silent).await.unwrap_err();
    assert_eq!(unreadable.kind(), ErrorKind::Damaged);
    assert!(needed(&bad, &Silent).await.unwrap().packs.is_empty());
    let report = repair_index(&bad, false).await.unwrap();
    // No copy of it can be made, so it stays, and that is said.
    assert_eq!(report.left, [id(&path)]);
    assert!(report.quarantined.is_empty());
    assert_eq!(readable(&bad).await, before);
    // When somebody has taken it away, all is well.
    storage.delete(&path).await.unwrap();
    let repaired = on(&repository, &storage);
    assert_sound(&check(&repaired, ReadData::All).await, "repaired");
}

/// What a lost connection does not show is not gone: nothing may be replaced because of it.
#[tokio::test(flavor = "multi_thread")]
async fn t35_a_connection_that_fails_is_no_damage_of_a_file() {
    let (_fixture, storage, repository) = scene().await;
    for folder in ["index", "snapshots"] {
        let path = files(&storage, folder).await[0].clone();
        for (kind, retry) in [
            (StorageKind::Io, Retry::Later),
            (StorageKind::Unreachable, Retry::Later),
            (StorageKind::TimedOut, Retry::Later),
            (StorageKind::Throttled, Retry::Later),
            (StorageKind::Unauthenticated, Retry::Never),
            (StorageKind::PermissionDenied, Retry::Never),
        ] {
            let bad = failing(&repository, &storage, &path, kind, retry);
            let all = files(&storage, "").await;
            let failed = match folder {
                "index" => repair_index(&bad, false).await.map(drop),
                _ => repair_snapshots(&bad, true).await.map(drop),
            };
            assert_eq!(failed.unwrap_err().kind(), ErrorKind::Storage, "{kind:?}");
            assert_eq!(files(&storage, "").await, all, "{kind:?}");
        }
    }
}

/// The other snapshots are looked at and mended; this one stays where it is.
#[tokio::test(flavor = "multi_thread")]
async fn t35_a_snapshot_on_a_bad_sector_keeps_no_other_from_being_repaired() {
    let (_fixture, storage, repository) = scene().await;
    let path = files(&storage, "snapshots").await[0].clone();
    let bad = failing(&repository, &storage, &path, StorageKind::Io, Retry::Never);
    let (whole, unreadable) = bad.load_snapshots_tolerant(&Silent).await.unwrap();
    assert_eq!((whole.len(), unreadable.len()), (1, 1));
    assert_eq!(unreadable[0].0, id(&path));
    let report = repair_snapshots(&bad, true).await.unwrap();
    assert_eq!(report.left, [id(&path)]);
    assert!(files(&storage, "snapshots").await.contains(&path));
    // What needs to know all of them goes no further.
    let refused = bad.load_snapshots(&Silent).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
}
