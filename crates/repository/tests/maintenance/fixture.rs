//! Repositories in memory that the real restic wrote, and calls with few arguments.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::check::{CheckOptions, CheckReport, ReadData};
use strongroom_repository::lock::{Access, LockOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::{PruneOptions, PrunePlan, PruneReport};
use strongroom_repository::{Repository, Result};
use strongroom_storage::{Class, LocalStorage, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, open_repository};
use strongroom_testkit::{Random, Restic};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A folder with source files and a repository beside it.
pub struct Fixture {
    pub dir: TempDir,
    pub restic: Restic,
}

impl Fixture {
    /// An empty repository made by restic, in a format version.
    pub fn new(version: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let restic = Restic::new(dir.path().join("repository"), PASSWORD);
        restic.init_version(version);
        std::fs::create_dir(dir.path().join("source")).unwrap();
        Self { dir, restic }
    }

    pub fn source(&self) -> std::path::PathBuf {
        self.dir.path().join("source")
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("repository")
    }

    /// Writes a source file, half of it text, half of it noise.
    pub fn write(&self, name: &str, seed: u64, length: usize) {
        let path = self.source().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut random = Random::new(seed);
        let mut content = random.text(length / 2);
        content.extend(random.bytes(length - length / 2));
        std::fs::write(path, content).unwrap();
    }

    /// restic backs the source up; the snapshot's id.
    pub fn backup(&self) -> String {
        self.restic.backup(&[&self.source()])["snapshot_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Two snapshots: files `a`, `deep/b`, `same`; then `a` changed and `deep/c` new.
    pub fn two_snapshots(version: u32) -> (Self, [String; 2]) {
        let fixture = Self::new(version);
        fixture.write("a", 1, 700_000);
        fixture.write("deep/b", 2, 300_000);
        fixture.write("same", 3, 2_000);
        let first = fixture.backup();
        fixture.write("a", 4, 700_000);
        fixture.write("deep/c", 5, 400_000);
        let second = fixture.backup();
        (fixture, [first, second])
    }

    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(LocalStorage::new(self.path()))
    }

    pub async fn open(&self) -> Repository {
        open_repository(self.storage()).await
    }
}

pub use strongroom_testkit::{copy_files, on_disk};

pub async fn copy_file(from: &dyn Storage, to: &dyn Storage, path: &StoragePath) {
    let content = from.read(path, None, Class::Data).await.unwrap();
    to.write(path, content, WriteMode::Replace, Class::Data)
        .await
        .unwrap();
}

/// The files of a directory in memory.
pub async fn in_memory(path: &Path) -> MemoryStorage {
    let memory = MemoryStorage::new();
    copy_files(&LocalStorage::new(path), &memory).await;
    memory
}

/// The names of all files below a folder (`""` for all), in order.
pub async fn files(storage: &dyn Storage, folder: &str) -> Vec<StoragePath> {
    let folder = StoragePath::new(folder).ok();
    let mut paths: Vec<StoragePath> = storage
        .list(folder.as_ref())
        .await
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    paths.sort();
    paths
}

/// Puts other bytes in place of a file.
pub async fn overwrite(
    storage: &dyn Storage,
    path: &StoragePath,
    change: impl FnOnce(&mut Vec<u8>),
) {
    let mut content = storage
        .read(path, None, Class::Data)
        .await
        .unwrap()
        .to_vec();
    change(&mut content);
    storage
        .write(path, Bytes::from(content), WriteMode::Replace, Class::Data)
        .await
        .unwrap();
}

/// A process of its own that locks.
pub fn locks() -> LockOptions {
    FakeHost::new("testhost", 7).lock_options(&FakeClock::new())
}

pub async fn check(repository: &Repository, read_data: ReadData) -> CheckReport {
    try_check(repository, read_data).await.unwrap()
}

pub async fn try_check(repository: &Repository, read_data: ReadData) -> Result<CheckReport> {
    let options = CheckOptions {
        read_data,
        paths_max: 100,
        locks: locks(),
    };
    repository
        .check(&options, &Silent, &CancellationToken::new())
        .await
}

/// Fails unless the repository is whole in every byte.
#[track_caller]
pub fn assert_sound(report: &CheckReport, when: &str) {
    assert!(report.is_sound(), "{when}: {:#?}", report.errors);
    assert!(report.affected.is_empty(), "{when}: {:?}", report.affected);
}

pub async fn plan(repository: &Repository, options: &PruneOptions) -> Result<PrunePlan> {
    repository
        .plan_prune(options, &Silent, &CancellationToken::new())
        .await
}

/// Plans and prunes under a lock, as a process does.
pub async fn prune(repository: &Repository, options: &PruneOptions) -> Result<PruneReport> {
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(Access::Exclusive, &locks(), &cancel)
        .await?;
    let result = match plan(repository, options).await {
        Ok(plan) => repository.prune(plan, &lock, &Silent, &cancel).await,
        Err(error) => Err(error),
    };
    // A lock that was lost, or a storage that is gone, cannot be let go of.
    let _ = lock.release().await;
    result
}

/// Carries out a plan that was made before.
pub async fn prune_plan(repository: &Repository, plan: PrunePlan) -> Result<PruneReport> {
    let cancel = CancellationToken::new();
    let lock = repository
        .lock(Access::Exclusive, &locks(), &cancel)
        .await?;
    let result = repository.prune(plan, &lock, &Silent, &cancel).await;
    lock.release().await?;
    result
}
