//! A repository with three snapshots, each with data of its own, and calls with few arguments.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use strongroom_repository::check::{CheckOptions, CheckReport, ReadData};
use strongroom_repository::forget::{ForgetPlan, plan_forget_named};
use strongroom_repository::format::{Id, Snapshot, Time};
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::{MaxUnused, PruneOptions, PrunePlan, PruneReport};
use strongroom_repository::repository::SnapshotFile;
use strongroom_repository::trash::{UndeletePlan, UndeleteReport, plan_undelete};
use strongroom_repository::{FileKind, Repository, Result};
use strongroom_storage::{Class, LocalStorage, MemoryStorage, Storage, WriteMode};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{Random, Restic};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub fn day(number: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * number)
}

pub struct Scene {
    pub storage: MemoryStorage,
    pub repository: Repository,
    /// Taken at day -3, -2 and -1.
    pub snapshots: Vec<SnapshotFile>,
}

impl Scene {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = MemoryStorage::new();
        let repository = new_repository(Arc::new(storage.clone())).await;
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        let mut snapshots = Vec::new();
        for number in 0..3 {
            let content = Random::new(number).bytes(300_000);
            std::fs::write(dir.path().join("folder/changing"), content).unwrap();
            let id = backup(&repository, dir.path(), None)
                .await
                .snapshot_id
                .unwrap();
            let snapshot = repository.load_snapshot(&id).await.unwrap();
            let at = day(i64::try_from(number).unwrap() - 3);
            snapshots.push(redate(&repository, &id, snapshot, at).await);
        }
        Self {
            storage,
            repository,
            snapshots,
        }
    }

    /// The same state, for one of several ways that things may go.
    pub fn fork(&self) -> (MemoryStorage, Repository) {
        let storage = self.storage.fork();
        let repository = self.repository.with_storage(Arc::new(storage.clone()));
        (storage, repository)
    }

    pub fn ids(&self) -> Vec<Id> {
        self.snapshots.iter().map(|file| file.id).collect()
    }
}

async fn redate(
    repository: &Repository,
    old: &Id,
    snapshot: Snapshot,
    at: Timestamp,
) -> SnapshotFile {
    let snapshot = Snapshot {
        time: Time::utc(at),
        ..snapshot
    };
    let kind = FileKind::Snapshot;
    let id = repository.save_file(kind, snapshot.encode()).await.unwrap();
    repository.delete_file(kind, old).await.unwrap();
    SnapshotFile { id, snapshot }
}

/// A snapshot of the same tree at another time: somebody backed up again.
pub async fn witness(repository: &Repository, of: &SnapshotFile, at: Timestamp) {
    let snapshot = Snapshot {
        time: Time::utc(at),
        ..of.snapshot.clone()
    };
    let kind = FileKind::Snapshot;
    repository.save_file(kind, snapshot.encode()).await.unwrap();
}

fn locks() -> LockOptions {
    LockOptions {
        // That of a process that a test has killed is in the way.
        disabled: true,
        ..FakeHost::new("here", 1).lock_options(&FakeClock::new())
    }
}

async fn lock(repository: &Repository, access: Access) -> Result<Lock> {
    let cancel = CancellationToken::new();
    repository.lock(access, &locks(), &cancel).await
}

/// `forget --trash 14d` of snapshots by name, at a moment.
pub async fn forget(
    repository: &Repository,
    files: &[SnapshotFile],
    now: Timestamp,
) -> Result<ForgetPlan> {
    let lock = lock(repository, Access::Exclusive).await?;
    let plan = plan_forget_named(files.to_vec());
    let keep_for = "14d".parse().unwrap();
    let plan = plan.into_trash(repository, keep_for, now, &Silent).await?;
    let cancel = CancellationToken::new();
    plan.execute(repository, &lock, &Silent, &cancel).await?;
    Ok(plan)
}

pub async fn plan_back(repository: &Repository, ids: &[Id]) -> Result<UndeletePlan> {
    let mut entries = Vec::new();
    for id in ids {
        entries.push(repository.load_trash_entry(id).await?);
    }
    plan_undelete(repository, entries, &Silent, &CancellationToken::new()).await
}

pub async fn undelete(repository: &Repository, ids: &[Id]) -> Result<UndeleteReport> {
    let lock = lock(repository, Access::Append).await?;
    let plan = plan_back(repository, ids).await?;
    let cancel = CancellationToken::new();
    plan.execute(repository, &lock, &cancel).await
}

pub fn everything(now: Timestamp) -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        now,
        ..PruneOptions::default()
    }
}

pub async fn plan_prune(repository: &Repository, options: &PruneOptions) -> Result<PrunePlan> {
    let cancel = CancellationToken::new();
    repository.plan_prune(options, &Silent, &cancel).await
}

pub async fn prune(repository: &Repository, options: &PruneOptions) -> Result<PruneReport> {
    let lock = lock(repository, Access::Exclusive).await?;
    let plan = plan_prune(repository, options).await?;
    let cancel = CancellationToken::new();
    repository.prune(plan, &lock, &Silent, &cancel).await
}

pub async fn check(repository: &Repository) -> CheckReport {
    let options = CheckOptions {
        read_data: ReadData::All,
        paths_max: 10,
        locks: locks(),
    };
    let cancel = CancellationToken::new();
    repository.check(&options, &Silent, &cancel).await.unwrap()
}

pub async fn live(repository: &Repository) -> Vec<Id> {
    let files = repository.list(FileKind::Snapshot).await.unwrap();
    files.iter().map(|file| file.id).collect()
}

/// What is in the trash; all of it can be read.
pub async fn trashed(repository: &Repository) -> Vec<Id> {
    let (entries, unreadable) = repository.load_trash(&Silent).await.unwrap();
    assert!(unreadable.is_empty(), "{unreadable:?}");
    entries.iter().map(|entry| entry.record.snapshot).collect()
}

/// The real restic on a copy of what a storage has.
pub async fn on_disk(storage: &dyn Storage) -> (TempDir, Restic) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("repository");
    for folder in ["data", "index", "keys", "locks", "snapshots"] {
        std::fs::create_dir_all(path.join(folder)).unwrap();
    }
    copy_files(storage, &LocalStorage::new(&path)).await;
    (dir, Restic::new(&path, PASSWORD))
}

pub async fn read_back(path: &Path) -> MemoryStorage {
    let memory = MemoryStorage::new();
    copy_files(&LocalStorage::new(path), &memory).await;
    memory
}

async fn copy_files(from: &dyn Storage, to: &dyn Storage) {
    for file in from.list(None).await.unwrap() {
        let content = from.read(&file.path, None, Class::Data).await.unwrap();
        to.write(&file.path, content, WriteMode::Replace, Class::Data)
            .await
            .unwrap();
    }
}

pub async fn append(repository: &Repository) -> Lock {
    lock(repository, Access::Append).await.unwrap()
}
