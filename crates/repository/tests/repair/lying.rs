//! Storages that do not keep what is written, and locks that are lost: what was there before is there after.

use std::collections::BTreeMap;
use std::sync::Arc;

use strongroom_repository::lock::Access;
use strongroom_repository::own_files::OwnFolder;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{IndexRepairOptions, PacksToRepair};
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{MemoryStorage, Operation, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{Asked, Fault, FaultyStorage};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, files, in_memory, locks, overwrite};
use crate::scene::{bytes, now, on, repair_index, repair_packs, repair_snapshots};

type Files = BTreeMap<StoragePath, Vec<u8>>;

/// A repository with a damaged file in a folder: the largest there.
async fn damaged(folder: &str) -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let (mut largest, mut size) = (None, 0);
    for path in files(&storage, folder).await {
        let length = bytes(&storage, &path).await.len();
        if length > size {
            (largest, size) = (Some(path), length);
        }
    }
    overwrite(&storage, &largest.unwrap(), |content| content[30] ^= 1).await;
    (fixture, storage, repository)
}

/// All but the locks.
async fn all(storage: &MemoryStorage) -> Files {
    let mut all = Files::new();
    for path in files(storage, "").await {
        if !path.as_str().starts_with("locks/") {
            let content = bytes(storage, &path).await;
            all.insert(path, content);
        }
    }
    all
}

/// Whatever was there is there as it was.
async fn assert_untouched(storage: &MemoryStorage, before: &Files, when: &str) {
    let after = all(storage).await;
    for (path, content) in before {
        assert!(after.get(path) == Some(content), "{when}: {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t35_where_new_files_are_not_kept_nothing_old_is_removed() {
    for (repaired, lying) in [
        ("index", "index"),
        ("index", "strongroom/quarantine"),
        ("data", "data"),
        ("data", "index"),
        ("data", "strongroom/quarantine"),
    ] {
        for fault in [Fault::Lose, Fault::Truncate(60), Fault::Flip(20)] {
            let when = format!("{repaired} repaired, {lying} {fault:?}");
            let (_fixture, storage, repository) = damaged(repaired).await;
            let before = all(&storage).await;
            let inner: Arc<dyn Storage> = Arc::new(storage.clone());
            let picks = move |asked: &Asked| asked.is(Operation::Write, lying);
            let faulty = FaultyStorage::every(inner, picks, fault);
            let here = repository.with_storage(Arc::new(faulty));
            let failed = match repaired {
                "index" => repair_index(&here, false).await.map(drop),
                _ => repair_packs(&here, PacksToRepair::ReadAll).await.map(drop),
            };
            assert!(failed.is_err(), "{when}");
            assert_untouched(&storage, &before, &when).await;
            // And a storage that keeps what it is given is all that was missing.
            let here = on(&repository, &storage);
            repair_index(&here, false).await.unwrap();
            repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
        }
    }
}

/// The old snapshots say what was lost, and go only when the new ones can be read.
#[tokio::test(flavor = "multi_thread")]
async fn t35_where_new_trees_are_not_kept_no_snapshot_is_removed() {
    for fault in [Fault::Lose, Fault::Truncate(60), Fault::Flip(20)] {
        let (_fixture, storage, repository) = damaged("data").await;
        repair_packs(&repository, PacksToRepair::ReadAll)
            .await
            .unwrap();
        let before = all(&storage).await;
        let inner: Arc<dyn Storage> = Arc::new(storage.clone());
        let packs = |asked: &Asked| asked.is(Operation::Write, "data");
        let faulty = FaultyStorage::every(inner, packs, fault);
        let here = repository.with_storage(Arc::new(faulty));
        let failed = repair_snapshots(&here, true).await;
        assert!(failed.is_err(), "{fault:?}: {failed:?}");
        assert_untouched(&storage, &before, &format!("{fault:?}")).await;
        // What the storage has made of the new trees is damage like any other.
        let here = on(&repository, &storage);
        repair_index(&here, false).await.unwrap();
        repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
        let made = repair_snapshots(&here, true).await;
        assert!(!made.unwrap().made.is_empty(), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t06_a_repair_without_its_lock_changes_nothing() {
    for folder in ["index", "data"] {
        let (_fixture, storage, repository) = damaged(folder).await;
        let cancel = CancellationToken::new();
        let access = Access::Exclusive;
        let lock = repository.lock(access, &locks(), &cancel).await.unwrap();
        let options = IndexRepairOptions::default();
        let index = repository.plan_repair_index(options, &Silent, &cancel);
        let index = index.await.unwrap();
        let packs = repository
            .plan_repair_packs(&PacksToRepair::ReadAll, 9, &Silent, &cancel)
            .await;
        for path in files(&storage, "locks").await {
            storage.delete(&path).await.unwrap();
        }
        let before = all(&storage).await;
        let lost = match packs {
            Ok(packs) => repository
                .repair_packs(packs, now(), &lock, &Silent, &cancel)
                .await
                .map(drop),
            Err(_) => repository
                .repair_index(index, now(), &lock, &Silent, &cancel)
                .await
                .map(drop),
        };
        assert_eq!(lost.unwrap_err().kind(), ErrorKind::LockLost);
        assert_eq!(all(&storage).await, before, "{folder}");
    }
}

/// What a person has seen and agreed to is removed, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_into_the_quarantine_later_is_not_emptied_out_of_it() {
    let (_fixture, _storage, repository) = damaged("index").await;
    let put = async |name: &str| {
        let (own, content) = (OwnFolder::Quarantine, bytes::Bytes::from_static(b"x"));
        let mode = WriteMode::Replace;
        repository
            .write_own(own, name, content, mode)
            .await
            .unwrap();
    };
    put("first").await;
    let seen = repository.list_quarantine().await.unwrap();
    put("second").await;
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(Access::Exclusive, &locks(), &cancel)
        .await
        .unwrap();
    repository.empty_quarantine(&seen, &lock).await.unwrap();
    assert_eq!(crate::scene::quarantine(&repository).await, ["second"]);
    lock.release().await.unwrap();
    let left = repository.list_quarantine().await.unwrap();
    let lost = repository
        .empty_quarantine(&left, &lock_gone(&repository).await)
        .await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::LockLost);
    assert_eq!(crate::scene::quarantine(&repository).await, ["second"]);
}

/// A lock that somebody has taken away.
async fn lock_gone(repository: &Repository) -> strongroom_repository::lock::Lock {
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(Access::Exclusive, &locks(), &cancel)
        .await
        .unwrap();
    let kind = strongroom_repository::FileKind::Lock;
    for file in repository.list(kind).await.unwrap() {
        repository.delete_file(kind, &file.id).await.unwrap();
    }
    lock
}
