//! What a backup does, and how much of it.

use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::progress::Silent;
use strongroom_storage::{Class, MemoryStorage, Operation, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::{new_repository, open_repository};
use strongroom_testkit::engine_backup::{backup, try_restore};
use strongroom_testkit::{Random, RecordingStorage};

/// Trees lie side by side; asked for one by one, a backup of a hundred thousand unchanged directories over a network would
/// wait a hundred thousand times.
#[tokio::test(flavor = "multi_thread")]
async fn the_trees_of_the_parent_are_read_in_stretches() {
    const DIRECTORIES: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..DIRECTORIES {
        let directory = folder.path().join(format!("{number}"));
        std::fs::create_dir(&directory).unwrap();
        for file in 0..3 {
            std::fs::write(
                directory.join(format!("{file}")),
                format!("{number} {file}"),
            )
            .unwrap();
        }
    }
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(storage.clone()).await;
    let first = backup(&repository, folder.path(), None).await;

    let recording = RecordingStorage::new(storage.clone());
    let repository = open_repository(Arc::new(recording.clone())).await;
    let second = backup(&repository, folder.path(), first.snapshot_id).await;
    assert_eq!(second.figures.files_unmodified, 3 * DIRECTORIES);
    assert_eq!(second.figures.dirs_unmodified, first.figures.dirs_new);
    assert_eq!(second.snapshot.tree, first.snapshot.tree);
    assert_eq!(second.written.packs, 0);
    let reads = recording.count(Operation::Read, "data/");
    assert!(reads < 20, "{reads} reads for {DIRECTORIES} trees");

    // A pack that was cut off costs the trees behind that and no others.
    let packs = storage
        .list(Some(&StoragePath::new("data").unwrap()))
        .await
        .unwrap();
    let pack = first_tree_pack(&repository, &first.snapshot.tree).await;
    let cut = packs
        .iter()
        .find(|file| file.path.as_str().ends_with(&pack));
    let path = &cut.unwrap().path;
    let whole = storage.read(path, None, Class::Metadata).await.unwrap();
    let half = whole.slice(..whole.len() / 2);
    let (mode, class) = (WriteMode::Replace, Class::Metadata);
    storage.write(path, half, mode, class).await.unwrap();
    let third = backup(&repository, folder.path(), first.snapshot_id).await;
    assert_eq!(third.snapshot.tree, first.snapshot.tree);
    assert_eq!(third.figures.files(), 3 * DIRECTORIES);
}

async fn first_tree_pack(repository: &Repository, tree: &Id) -> String {
    let index = repository.load_index(&Silent).await.unwrap();
    index.locate(BlobKind::Tree, tree).unwrap().pack.to_hex()
}

/// Sizes around each limit: a byte that is lost or taken from a neighbour in the same piece of memory is damage that nothing
/// would ever notice again.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_all_sizes_come_back_from_their_batches() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    let seed = Random::fresh_seed();
    let mut random = Random::new(seed);
    let limits = [0, 4096, 256 << 10, 512 << 10, 768 << 10, 1 << 20];
    let around = limits.iter().flat_map(|limit: &usize| {
        (limit.saturating_sub(2)..limit + 3).chain([limit * 2, limit * 3 / 2])
    });
    // Enough for several batches by number and by bytes.
    for (number, size) in around.chain((0..700).map(|n| n * 37 % 9001)).enumerate() {
        let content = random.bytes(size);
        std::fs::write(source.join(format!("{number}")), content).unwrap();
    }
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let report = backup(&repository, &source, None).await;
    assert_eq!(report.figures.errors, 0);
    let index = repository.load_index(&Silent).await.unwrap();
    let restored = try_restore(&repository, &index, report.snapshot.tree, &target).await;
    assert!(restored.is_ok());
    let below = target.join(source.strip_prefix("/").unwrap());
    for entry in std::fs::read_dir(&source).unwrap().flatten() {
        let before = std::fs::read(entry.path()).unwrap();
        let after = std::fs::read(below.join(entry.file_name())).unwrap();
        assert!(before == after, "{:?}, seed {seed}", entry.path());
    }
}
