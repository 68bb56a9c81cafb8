//! Trees lie side by side: they are read many at a time, whoever needs them.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::format::BlobKind;
use strongroom_repository::progress::Silent;
use strongroom_repository::walk::{Step, Walk};
use strongroom_storage::{Class, MemoryStorage, Operation};
use strongroom_testkit::RecordingStorage;
use strongroom_testkit::engine::{new_repository, open_repository};
use strongroom_testkit::engine_backup::{backup, try_restore};
use tokio_util::sync::CancellationToken;

use crate::fixture::{check, files, overwrite};

const PARENTS: usize = 12;
const CHILDREN: usize = 25;

/// Over a network every read is a wait. One for each of a hundred thousand folders would make a check or a restore of them last
/// for hours; and what saves the reads must not hide the one tree that is damaged, nor those beside it.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_trees_take_a_few_reads() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    for parent in 0..PARENTS {
        for child in 0..CHILDREN {
            let directory = source.join(format!("{parent}/{child}"));
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(directory.join("file"), format!("{parent} {child}")).unwrap();
        }
    }
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(storage.clone()).await;
    let tree = backup(&repository, &source, None).await.snapshot.tree;

    let recording = RecordingStorage::new(storage.clone());
    let repository = open_repository(Arc::new(recording.clone())).await;
    let index = Arc::new(repository.load_index(&Silent).await.unwrap());
    let trees = index.len(BlobKind::Tree);
    assert!(trees > PARENTS * CHILDREN);
    let reads = || {
        let calls = recording.take();
        let of_trees = calls.iter().filter(|call| {
            call.operation == Operation::Read
                && call.range.is_some()
                && call.class == Some(Class::Metadata)
        });
        of_trees.count()
    };

    reads();
    let report = check(&repository, ReadData::Nothing).await;
    assert!(report.is_sound() && report.figures.trees == trees as u64);
    let of_check = reads();
    assert!(of_check < trees / 8, "{of_check} reads of {trees} trees");

    let target = folder.path().join("target");
    let restored = try_restore(&repository, &index, tree, &target).await;
    assert!(restored.unwrap().is_complete());
    let of_restore = reads();
    assert!(
        of_restore < trees / 8,
        "{of_restore} reads of {trees} trees"
    );

    let cancel = CancellationToken::new();
    let mut walk = Walk::new(repository.clone(), index.clone(), tree, b"/", cancel);
    let mut directories = 0;
    while let Some(step) = walk.next().await.unwrap() {
        directories += usize::from(matches!(step, Step::Left(_)));
    }
    assert!(directories + 1 >= trees, "{directories} of {trees}");
    let of_walk = reads();
    assert!(of_walk < trees / 4, "{of_walk} reads of {trees} trees");

    // One of them is damaged: it alone is told, wherever it lies in what is read with it.
    let victim = index.blobs(BlobKind::Tree).nth(trees / 2).unwrap();
    let packs = files(&*storage, "data").await;
    let pack = packs
        .iter()
        .find(|path| path.as_str().ends_with(&victim.location.pack.to_hex()));
    overwrite(&*storage, pack.unwrap(), |bytes| {
        bytes[victim.location.offset as usize + 20] ^= 1;
    })
    .await;
    let report = check(&repository, ReadData::Nothing).await;
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert!(report.errors[0].message.contains(&victim.id.short()));
}
