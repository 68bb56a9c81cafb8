//! A repository with snapshots, a place for its mirror, and calls with few arguments.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_repository::check::{CheckOptions, ReadData};
use strongroom_repository::forget::plan_forget_named;
use strongroom_repository::format::Id;
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::mirror::{Mirror, MirrorFigures, MirrorOptions, MirrorReport};
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_repository::repository::{OpenOptions, Settings};
use strongroom_repository::{Repository, Result};
use strongroom_storage::{Class, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::Random;
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::engine_backup::backup;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Removes from the mirror what the repository has no more.
pub const DELETE: MirrorOptions = MirrorOptions {
    delete: true,
    read_data: false,
};

pub struct Scene {
    pub dir: TempDir,
    pub storage: MemoryStorage,
    pub repository: Repository,
    pub target: MemoryStorage,
}

impl Scene {
    /// A repository with one snapshot; nothing where the mirror is to be.
    pub async fn new() -> Self {
        let storage = MemoryStorage::new();
        new_repository(Arc::new(storage.clone())).await;
        let settings = Settings {
            pack_size_bytes: 128 << 10,
            ..Settings::default()
        };
        let options = OpenOptions {
            threads: 2,
            settings,
            key_hint: None,
        };
        let shared = Arc::new(storage.clone());
        let repository = Repository::open(shared, &PASSWORD.into(), &options)
            .await
            .unwrap();
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
            storage,
            repository,
            target: MemoryStorage::missing(),
        };
        scene.back_up(1).await;
        scene
    }

    pub fn source(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }

    /// One more snapshot: a file has other content, another one is new.
    pub async fn back_up(&self, number: u64) -> Id {
        let mut random = Random::new(number);
        std::fs::write(self.dir.path().join("changing"), random.bytes(300_000)).unwrap();
        let name = format!("new{number}");
        std::fs::write(self.dir.path().join(name), random.text(50_000)).unwrap();
        let report = backup(&self.repository, self.dir.path(), None).await;
        report.snapshot_id.unwrap()
    }

    /// Forgets a snapshot of the repository and removes what it alone needed.
    pub async fn forget(&self, id: &Id) {
        let lock = lock(&self.repository, Access::Exclusive).await.unwrap();
        let snapshots = self.repository.load_snapshots(&Silent).await.unwrap();
        let chosen = snapshots.into_iter().filter(|file| file.id == *id);
        let cancel = CancellationToken::new();
        let plan = plan_forget_named(chosen.collect());
        plan.execute(&self.repository, &lock, &Silent, &cancel)
            .await
            .unwrap();
        let options = PruneOptions {
            max_unused: MaxUnused::Bytes(0),
            ..PruneOptions::default()
        };
        let plan = self.repository.plan_prune(&options, &Silent, &cancel).await;
        self.repository
            .prune(plan.unwrap(), &lock, &Silent, &cancel)
            .await
            .unwrap();
        lock.release().await.unwrap();
    }

    /// Mirrors as a process does.
    pub async fn mirror(&self, options: &MirrorOptions) -> Result<MirrorReport> {
        self.mirror_into(Arc::new(self.target.clone()), options)
            .await
    }

    /// The same, into the target as somebody sees it.
    pub async fn mirror_into(
        &self,
        target: Arc<dyn Storage>,
        options: &MirrorOptions,
    ) -> Result<MirrorReport> {
        mirror(&self.repository, target, options, &locks()).await
    }

    /// What would be done.
    pub async fn figures(&self, options: &MirrorOptions) -> Result<MirrorFigures> {
        let target = Arc::new(self.target.clone());
        let mirror = self.repository.mirror_at(target).await?;
        let plan = mirror
            .plan(options, &Silent, &CancellationToken::new())
            .await?;
        Ok(*plan.figures())
    }
}

/// Mirrors under locks that are given back in every case.
pub async fn mirror(
    source: &Repository,
    target: Arc<dyn Storage>,
    options: &MirrorOptions,
    locks: &LockOptions,
) -> Result<MirrorReport> {
    let cancel = CancellationToken::new();
    let source_lock = source.lock(Access::Append, locks, &cancel).await?;
    let mirrored = async {
        let mut mirror = source.mirror_at(target).await?;
        mirror.begin().await?;
        let access = match options.delete {
            true => Access::Exclusive,
            false => Access::Append,
        };
        let target_lock = mirror.target().lock(access, locks, &cancel).await?;
        let done = carry_out(&mirror, options, &source_lock, &target_lock).await;
        let _ = target_lock.release().await;
        done
    };
    let done = mirrored.await;
    let _ = source_lock.release().await;
    done
}

async fn carry_out(
    mirror: &Mirror,
    options: &MirrorOptions,
    source_lock: &Lock,
    target_lock: &Lock,
) -> Result<MirrorReport> {
    let cancel = CancellationToken::new();
    let plan = mirror.plan(options, &Silent, &cancel).await?;
    mirror
        .execute(plan, source_lock, target_lock, &Silent, &cancel)
        .await
}

pub fn locks() -> LockOptions {
    FakeHost::new("testhost", 7).lock_options(&FakeClock::new())
}

async fn lock(repository: &Repository, access: Access) -> Result<Lock> {
    repository
        .lock(access, &locks(), &CancellationToken::new())
        .await
}

/// Every file with its content, in order.
pub async fn contents(storage: &dyn Storage) -> Vec<(StoragePath, Vec<u8>)> {
    let mut contents = Vec::new();
    for file in storage.list(None).await.unwrap() {
        let content = storage.read(&file.path, None, Class::Data).await.unwrap();
        contents.push((file.path, content.to_vec()));
    }
    contents.sort();
    contents
}

/// The names of the files below a folder, in order.
pub async fn names(storage: &dyn Storage, folder: &str) -> Vec<StoragePath> {
    let folder = StoragePath::new(folder).unwrap();
    let files = storage.list(Some(&folder)).await.unwrap();
    let mut names: Vec<StoragePath> = files.into_iter().map(|file| file.path).collect();
    names.sort();
    names
}

pub async fn read(storage: &dyn Storage, path: &StoragePath) -> Vec<u8> {
    let content = storage.read(path, None, Class::Data).await.unwrap();
    content.to_vec()
}

pub async fn write(storage: &dyn Storage, path: &StoragePath, content: Vec<u8>) {
    storage
        .write(path, content.into(), WriteMode::Replace, Class::Data)
        .await
        .unwrap();
}

/// The number of snapshots of a repository that is whole in every byte.
#[track_caller]
pub fn sound_snapshots(repository: &Repository, when: &str) -> impl Future<Output = usize> {
    let (repository, when) = (repository.clone(), when.to_owned());
    async move {
        let options = CheckOptions {
            read_data: ReadData::All,
            paths_max: 10,
            locks: LockOptions {
                disabled: true,
                ..locks()
            },
        };
        let cancel = CancellationToken::new();
        let report = repository.check(&options, &Silent, &cancel).await.unwrap();
        assert!(report.is_sound(), "{when}: {:#?}", report.errors);
        repository.load_snapshots(&Silent).await.unwrap().len()
    }
}
