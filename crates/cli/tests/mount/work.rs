//! How much is read: a look at one file of a large repository must not read the repository.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strongroom_mount::{Mounted, Options, PathTemplate, TimeTemplate, mount};
use strongroom_repository::progress::Silent;
use strongroom_repository::snapshots::SnapshotFilter;
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::engine::{FakeClock, new_repository};
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{Random, RecordingStorage};

struct Scene {
    storage: RecordingStorage,
    clock: Arc<FakeClock>,
    folder: tempfile::TempDir,
    source: tempfile::TempDir,
    mounted: Mounted,
}

const FILE_BYTES: usize = 100 << 20;

impl Scene {
    /// A repository with one large file and a few small ones, mounted by this process.
    async fn new() -> Self {
        let source = tempfile::tempdir().unwrap();
        let content = Random::new(45).bytes(FILE_BYTES);
        std::fs::write(source.path().join("large"), content).unwrap();
        std::fs::create_dir(source.path().join("other")).unwrap();
        std::fs::write(source.path().join("other/small"), "small").unwrap();
        let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
        let storage = RecordingStorage::new(memory);
        let repository = new_repository(Arc::new(storage.clone())).await;
        backup(&repository, source.path(), None).await;
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::new();
        let options = Options {
            mountpoint: folder.path().into(),
            filter: SnapshotFilter::default(),
            only: None,
            path_templates: PathTemplate::defaults(),
            time_template: TimeTemplate::default(),
            owner_root: false,
            allow_other: false,
            default_permissions: true,
            reload_after: Duration::from_secs(30),
            read_cache_bytes: strongroom_mount::READ_CACHE_BYTES,
            clock: Arc::<FakeClock>::clone(&clock),
            progress: Arc::new(Silent),
        };
        storage.take();
        let mounted = mount(repository, &options).await.unwrap();
        Self {
            storage,
            clock,
            folder,
            source,
            mounted,
        }
    }

    fn shown(&self) -> PathBuf {
        let latest = self.folder.path().join("snapshots/latest");
        latest.join(self.source.path().strip_prefix("/").unwrap())
    }

    fn packs_read(&self) -> (usize, u64) {
        let count = self.storage.count(Operation::Read, "data");
        (count, self.storage.bytes(Operation::Read, "data"))
    }
}

/// Reads through the mount while the runtime answers.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn read_range(path: &Path, offset: u64, length: usize) -> Vec<u8> {
    let mut read = vec![0; length];
    File::open(path)
        .unwrap()
        .read_exact_at(&mut read, offset)
        .unwrap();
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_reads_what_it_looks_at() {
    let scene = Scene::new().await;
    // Mounting reads snapshots and indexes, no tree and no data.
    assert_eq!(scene.packs_read(), (0, 0));
    let large = scene.shown().join("large");
    let file = large.clone();
    beside(move || file.metadata().unwrap()).await;
    let depth = large.components().count() - scene.folder.path().components().count();
    let (trees, bytes) = scene.packs_read();
    assert!(
        trees <= depth && bytes < 64 << 10,
        "{trees} trees, {bytes} bytes"
    );

    // The kernel may read some pages around; a blob has 8 MiB at most and 1 MiB as a rule.
    scene.storage.take();
    let middle = FILE_BYTES as u64 / 2;
    let (file, at) = (large.clone(), middle);
    let read = beside(move || read_range(&file, at, 4096)).await;
    let source = read_range(&scene.source.path().join("large"), middle, 4096);
    assert_eq!(read, source);
    let (blobs, _) = scene.packs_read();
    assert!((1..=3).contains(&blobs), "{blobs} blobs");

    // What was read is not read again, by another handle either; the directory beside it has not been looked at.
    let file = large.clone();
    beside(move || read_range(&file, middle + 100, 1000)).await;
    assert_eq!(scene.packs_read().0, blobs);

    // From end to end every blob comes once.
    scene.storage.take();
    let whole = beside(move || std::fs::read(large).unwrap()).await;
    assert_eq!(whole.len(), FILE_BYTES);
    let (_, bytes) = scene.packs_read();
    assert!(bytes <= FILE_BYTES as u64 + (1 << 20), "{bytes} bytes");
    scene.mounted.unmount().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_snapshots_are_looked_for_now_and_then() {
    let scene = Scene::new().await;
    let list = |scene: &Scene| {
        let folder = scene.folder.path().join("ids");
        beside(move || std::fs::read_dir(folder).unwrap().count())
    };
    scene.storage.take();
    for _ in 0..5 {
        assert_eq!(list(&scene).await, 1);
    }
    assert_eq!(scene.storage.count(Operation::List, ""), 0);
    scene.clock.pass(Duration::from_secs(31));
    for _ in 0..5 {
        assert_eq!(list(&scene).await, 1);
    }
    assert_eq!(scene.storage.count(Operation::List, "snapshots"), 1);
    assert_eq!(scene.storage.count(Operation::List, "index"), 0);
    assert_eq!(scene.storage.count(Operation::Read, ""), 0);
    scene.mounted.unmount().await.unwrap();
}
