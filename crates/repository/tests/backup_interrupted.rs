//! Backups that are killed: nothing half-made shows, and the next run sends only what is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use strongroom_repository::backup::{BackupOptions, BackupReport, Source};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::Access;
use strongroom_repository::progress::{Progress, Silent};
use strongroom_repository::repository::{OpenOptions, Settings};
use strongroom_repository::{ErrorKind, FileKind, Repository, Result};
use strongroom_storage::{
    ErrorKind as StorageKind, LocalStorage, MemoryStorage, Operation, Retry, Storage,
};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::engine_backup::{backup, backup_options, directory, try_backup};
use strongroom_testkit::{Fault, FaultyStorage, Random, RecordingStorage, Restic};
use tokio_util::sync::CancellationToken;

const PACK: u32 = 4 << 20;

/// Opens with the smallest packs, so that a test needs little data for many of them.
async fn open(storage: Arc<dyn Storage>) -> Repository {
    let settings = Settings {
        pack_size_bytes: PACK,
        ..Settings::default()
    };
    let options = OpenOptions {
        threads: 2,
        settings,
        key_hint: None,
    };
    Repository::open(storage, &PASSWORD.into(), &options)
        .await
        .unwrap()
}

fn write_random_files(folder: &Path, files: usize, bytes: usize) {
    let mut random = Random::new(23);
    for number in 0..files {
        std::fs::write(folder.join(format!("file-{number}")), random.bytes(bytes)).unwrap();
    }
}

/// A backup as one process of a machine makes it, that leaves its lock behind if it cannot remove it.
async fn backup_as(host: FakeHost, repository: &Repository, tree: &Path) -> Result<BackupReport> {
    let source = directory(tree);
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(
            Access::Append,
            &host.lock_options(&FakeClock::new()),
            &cancel,
        )
        .await?;
    let index = Arc::new(repository.load_index_to_write(&lock, &Silent).await?);
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let options: BackupOptions = backup_options(&source);
    let report = repository
        .backup(&index, source.root(), options, &lock, &progress, &cancel)
        .await;
    let _ = lock.release().await;
    report
}

/// Every blob of every published snapshot is there and whole.
async fn assert_snapshots_whole(repository: &Repository) -> usize {
    let index = repository.load_index(&Silent).await.unwrap();
    let snapshots = repository.load_snapshots(&Silent).await.unwrap();
    let mut trees: Vec<Id> = snapshots.iter().map(|file| file.snapshot.tree).collect();
    while let Some(id) = trees.pop() {
        for node in repository.load_tree(&index, &id).await.unwrap().nodes {
            trees.extend(node.subtree);
            for id in node.content.iter().flatten() {
                repository
                    .load_blob(&index, BlobKind::Data, id)
                    .await
                    .unwrap();
            }
        }
    }
    snapshots.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn t23_t25_a_backup_killed_at_any_call_loses_nothing_and_is_not_sent_again() {
    let tree = tempfile::tempdir().unwrap();
    write_random_files(tree.path(), 20, 1 << 20);
    let total: u64 = 20 << 20;
    let mut finished = false;
    for calls in 0.. {
        let storage = Arc::new(MemoryStorage::new());
        new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
        let whole = open(Arc::<MemoryStorage>::clone(&storage)).await;
        let dying = Arc::new(FaultyStorage::stops_after(
            Arc::<MemoryStorage>::clone(&storage),
            calls,
        ));
        let host = FakeHost::new("one", 1);
        let killed = backup_as(host.process(1), &whole.with_storage(dying), tree.path()).await;
        host.die();
        let snapshots = assert_snapshots_whole(&whole).await;
        assert!(killed.is_err() || snapshots == 1, "after {calls} calls");
        let stored = whole.list(FileKind::Pack).await.unwrap();
        let stored_bytes: u64 = stored.iter().map(|pack| pack.size_bytes).sum();
        let recorded = Arc::new(RecordingStorage::new(Arc::<MemoryStorage>::clone(&storage)));
        let again = whole.with_storage(Arc::<RecordingStorage>::clone(&recorded));
        let report = backup_as(host.process(2), &again, tree.path())
            .await
            .unwrap();
        let sent = recorded.bytes(Operation::Write, "data");
        assert!(
            sent < total.saturating_sub(stored_bytes) + u64::from(PACK),
            "after {calls} calls {stored_bytes} bytes were stored and yet {sent} sent"
        );
        assert!(report.snapshot_id.is_some());
        assert_eq!(assert_snapshots_whole(&whole).await, snapshots + 1);
        if killed.is_ok() {
            finished = calls > 10;
            break;
        }
    }
    assert!(finished, "the backup made fewer calls than it has steps");
}

/// Ctrl-C: what was stored is indexed, so that even a run that finds no dead process uses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_backup_publishes_nothing_and_indexes_what_it_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, path) = (dir.path().join("tree"), dir.path().join("repository"));
    std::fs::create_dir(&tree).unwrap();
    write_random_files(&tree, 30, 1 << 20);
    new_repository(Arc::new(LocalStorage::new(&path))).await;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let storage = FaultyStorage::new(Arc::new(LocalStorage::new(&path)), move |asked| {
        if asked.is(Operation::Write, "data") && asked.number > 8 {
            token.cancel();
        }
        Fault::None
    });
    let repository = open(Arc::new(storage)).await;
    let error = try_backup(&repository, &tree, None, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(
        repository
            .list(FileKind::Snapshot)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(repository.list(FileKind::Lock).await.unwrap().is_empty());
    let index = repository.load_index(&Silent).await.unwrap();
    let packs = repository.list(FileKind::Pack).await.unwrap();
    assert!(!packs.is_empty());
    assert_eq!(index.packs().len(), packs.len());
    Restic::new(&path, PASSWORD).check_read_data();
    backup(&repository, &tree, None).await;
    assert_eq!(assert_snapshots_whole(&repository).await, 1);
}

/// T-19: what the storage refuses is an error of the backup and never a snapshot that misses it.
#[tokio::test(flavor = "multi_thread")]
async fn t19_no_write_of_a_backup_may_fail_unnoticed() {
    let tree = tempfile::tempdir().unwrap();
    write_random_files(tree.path(), 6, 1 << 20);
    for number in 0.. {
        let storage = Arc::new(MemoryStorage::new());
        new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
        let whole = open(Arc::<MemoryStorage>::clone(&storage)).await;
        let faulty = FaultyStorage::nth(
            Arc::<MemoryStorage>::clone(&storage),
            number,
            |asked| asked.is(Operation::Write, ""),
            Fault::Fail(StorageKind::NoSpace, Retry::Never),
        );
        let result = backup_as(
            FakeHost::new("one", 1),
            &whole.with_storage(Arc::new(faulty)),
            tree.path(),
        )
        .await;
        let snapshots = assert_snapshots_whole(&whole).await;
        if result.is_ok() {
            assert_eq!(snapshots, 1);
            assert!(number >= 4, "lock, pack, index, snapshot");
            return;
        }
        assert_eq!(snapshots, 0, "write {number} failed");
    }
}
