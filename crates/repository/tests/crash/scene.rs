//! Small repositories with many packs, and operations as a process carries them out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strongroom_repository::backup::{BackupOptions, Source};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::progress::{Progress, Silent};
use strongroom_repository::repository::{OpenOptions, Settings};
use strongroom_repository::signature::{SignatureAlgorithm, Signer, SigningKey};
use strongroom_repository::{Repository, Result};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::Random;
use strongroom_testkit::crash_points::Attempt;
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::engine_backup::{backup_options, directory};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Far below what users may choose, so that little data makes many packs.
pub const PACK_BYTES: u64 = 128 << 10;

/// Opens with small packs.
pub async fn open(storage: Arc<dyn Storage>) -> Repository {
    let settings = Settings {
        pack_size_bytes: PACK_BYTES as u32,
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

/// A directory to back up and a repository in memory.
pub struct Scene {
    dir: TempDir,
    pub storage: MemoryStorage,
    /// Opened once: opening is no part of what is stopped.
    pub repository: Repository,
    /// Signs whatever a process of this scene does.
    pub signing: Option<SigningKey>,
    clock: Arc<FakeClock>,
}

impl Scene {
    /// An empty repository, and files of about 400 kB in all.
    pub async fn new() -> Self {
        let storage = MemoryStorage::new();
        new_repository(Arc::new(storage.clone())).await;
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
            repository: open(Arc::new(storage.clone())).await,
            storage,
            signing: None,
            clock: FakeClock::new(),
        };
        for n in 0..4 {
            scene.write(&format!("folder{n}/large"), n, 90_000);
            scene.write(&format!("folder{n}/small"), 100 + n, 700);
        }
        scene
    }

    /// Three snapshots, each with something changed, on days 1 to 3.
    pub async fn with_snapshots() -> Self {
        let scene = Self::new().await;
        scene.history().await;
        scene
    }

    /// The same with a key that has signed them.
    pub async fn signed() -> Self {
        let mut scene = Self::new().await;
        let key = SigningKey::generate(SignatureAlgorithm::Ed25519);
        scene.signing = Some(key.unwrap());
        scene.history().await;
        scene
    }

    async fn history(&self) {
        self.back_up(1).await;
        self.write("folder0/large", 10, 90_000);
        self.back_up(2).await;
        self.write("folder1/large", 11, 90_000);
        self.write("folder2/small", 12, 900);
        std::fs::remove_file(self.source().join("folder3/large")).unwrap();
        self.back_up(3).await;
    }

    pub fn source(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }

    /// A file of the source, a half text and a half noise.
    pub fn write(&self, name: &str, seed: u64, length: usize) {
        let path = self.source().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut random = Random::new(seed);
        let mut content = random.text(length / 2);
        content.extend(random.bytes(length - length / 2));
        std::fs::write(path, content).unwrap();
    }

    async fn back_up(&self, day: i8) -> Id {
        self.backup(self.attempt(), day, None).await.unwrap()
    }

    /// A process that nothing happens to.
    pub fn attempt(&self) -> Attempt {
        Attempt {
            storage: Arc::new(self.storage.clone()),
            locks: FakeHost::new("testhost", 99).lock_options(&FakeClock::new()),
        }
    }

    /// The repository as another process sees it, a second after the one before.
    pub fn process(&self, storage: Arc<dyn Storage>) -> Repository {
        let repository = self.repository.with_storage(storage);
        let Some(key) = &self.signing else {
            return repository;
        };
        self.clock.pass(Duration::from_secs(1));
        let clock: Arc<FakeClock> = Arc::clone(&self.clock);
        let signer = Signer::new(key.clone(), Vec::new(), Vec::new(), clock);
        repository.with_signer(Arc::new(signer))
    }

    /// The time of the first snapshot.
    pub fn first_time(&self) -> Time {
        Time::utc(day(1))
    }

    /// A moment after all snapshots.
    pub fn now(&self) -> Timestamp {
        day(20)
    }

    /// A backup as a process makes it, with the time of this day.
    pub async fn backup(&self, attempt: Attempt, day: i8, parent: Option<Id>) -> Result<Id> {
        let cancel = CancellationToken::new();
        self.backup_until(&cancel, attempt, day, parent).await
    }

    /// The same, unless it is cancelled.
    pub async fn backup_until(
        &self,
        cancel: &CancellationToken,
        attempt: Attempt,
        number: i8,
        parent: Option<Id>,
    ) -> Result<Id> {
        let source = directory(&self.source());
        let options = BackupOptions {
            time: Time::utc(day(number)),
            parent,
            ..backup_options(&source)
        };
        let repository = self.process(attempt.storage);
        locked(&repository, Access::Append, &attempt.locks, async |lock| {
            let index = Arc::new(repository.load_index_to_write(lock, &Silent).await?);
            let progress: Arc<dyn Progress> = Arc::new(Silent);
            let root = source.root();
            let report = repository.backup(&index, root, options, lock, &progress, cancel);
            Ok(report.await?.snapshot_id.expect("a snapshot"))
        })
        .await
    }

    /// The ids of the snapshots, oldest first.
    pub async fn snapshot_ids(&self) -> Vec<Id> {
        let snapshots = self.repository.load_snapshots(&Silent).await.unwrap();
        snapshots.into_iter().map(|file| file.id).collect()
    }
}

/// Midnight of a day in December.
fn day(number: i8) -> Timestamp {
    format!("2025-12-{number:02}T00:00:00Z").parse().unwrap()
}

/// Works under a lock that is given back at the end, also of work that failed.
pub async fn locked<T>(
    repository: &Repository,
    access: Access,
    locks: &LockOptions,
    work: impl AsyncFnOnce(&Lock) -> Result<T>,
) -> Result<T> {
    let cancel = CancellationToken::new();
    let lock = repository.lock(access, locks, &cancel).await?;
    let result = work(&lock).await;
    // Of a lock that stays behind the next process finds that its holder is dead.
    let _ = lock.release().await;
    result
}
