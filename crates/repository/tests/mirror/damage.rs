//! Damage stays where it is: none reaches the mirror, and what is damaged there is made whole.

use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::mirror::MirrorOptions;
use strongroom_storage::{Operation, Storage, StoragePath};
use strongroom_testkit::{Fault, FaultyStorage};

use crate::scene::{DELETE, Scene, contents, names, read, sound_snapshots, write};

const READ_DATA: MirrorOptions = MirrorOptions {
    delete: false,
    read_data: true,
};

fn flipped(mut content: Vec<u8>) -> Vec<u8> {
    let middle = content.len() / 2;
    content[middle] ^= 1;
    content
}

async fn flip(storage: &dyn Storage, path: &StoragePath) {
    write(storage, path, flipped(read(storage, path).await)).await;
}

/// The mirror is where the whole copy of a damaged file may be.
#[tokio::test(flavor = "multi_thread")]
async fn t34_a_damaged_file_is_not_copied_and_replaces_nothing() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let old = scene.back_up(2).await;
    scene.back_up(3).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let before = contents(&scene.target).await;

    // One that the mirror has, cut short here; one that it does not have yet, with a flipped bit.
    let packs = names(&scene.storage, "data").await;
    let content = read(&scene.storage, &packs[0]).await;
    write(&scene.storage, &packs[0], content[..100].to_vec()).await;
    scene.back_up(4).await;
    let new = names(&scene.storage, "data").await;
    let new = new.iter().find(|path| !packs.contains(path)).unwrap();
    flip(&scene.storage, new).await;
    let removed = names(&scene.storage, "snapshots").await;
    let path = StoragePath::new(format!("snapshots/{old}")).unwrap();
    assert!(removed.contains(&path));
    scene.storage.delete(&path).await.unwrap();

    let report = scene.mirror(&DELETE).await.unwrap();
    let mut told: Vec<&str> = report.not_mirrored.iter().map(|it| &*it.path).collect();
    told.sort_unstable();
    let mut damaged = [packs[0].as_str(), new.as_str()];
    damaged.sort_unstable();
    assert_eq!(told, damaged);
    assert_eq!((report.files_removed, report.removals_left), (0, 1));
    let after = contents(&scene.target).await;
    for file in &before {
        assert!(after.contains(file), "{} was changed", file.0);
    }
    assert!(scene.target.stat(new).await.is_err());
}

/// A mirror that was damaged meanwhile would be found out on the day it is needed.
#[tokio::test(flavor = "multi_thread")]
async fn t34_damaged_files_of_the_mirror_are_replaced() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let packs = names(&scene.target, "data").await;
    let (short, bad) = (&packs[0], &packs[1]);
    let content = read(&scene.target, short).await;
    write(&scene.target, short, content[..content.len() - 1].to_vec()).await;
    flip(&scene.target, bad).await;
    flip(&scene.target, &names(&scene.target, "index").await[0]).await;

    // A length is seen without reading.
    let figures = scene.figures(&MirrorOptions::default()).await.unwrap();
    assert_eq!((figures.files_replaced, figures.files_new), (1, 0));
    let figures = scene.figures(&READ_DATA).await.unwrap();
    assert_eq!((figures.files_replaced, figures.files_new), (3, 0));
    let report = scene.mirror(&READ_DATA).await.unwrap();
    assert_eq!(report.files_copied, 3);
    assert_eq!(
        contents(&scene.target).await,
        contents(&scene.storage).await
    );

    // What is damaged here and whole there is not made worse.
    flip(&scene.storage, bad).await;
    assert!(scene.figures(&READ_DATA).await.unwrap().is_nothing());
}

/// The date until which a forgotten snapshot stays is written anew under the same name, with the same length.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_rewritten_under_its_name_is_compared_by_content() {
    let scene = Scene::new().await;
    let record = StoragePath::new("strongroom/trash/record").unwrap();
    write(&scene.storage, &record, b"until the 1st".to_vec()).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    write(&scene.storage, &record, b"until the 9th".to_vec()).await;
    let report = scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert_eq!(report.files_copied, 1);
    assert_eq!(read(&scene.target, &record).await, b"until the 9th");
}

/// Snapshots whose packs the storage has lost look like a mirror until somebody restores from it.
#[tokio::test(flavor = "multi_thread")]
async fn t21_t34_a_storage_that_lies_is_found_out_before_a_snapshot_appears() {
    for fault in [Fault::Lose, Fault::Truncate(10)] {
        let scene = Scene::new().await;
        let inner = Arc::new(scene.target.clone());
        let lying =
            FaultyStorage::nth(inner, 1, |asked| asked.is(Operation::Write, "data/"), fault);
        let options = MirrorOptions::default();
        let told = scene.mirror_into(Arc::new(lying), &options).await;
        assert_eq!(told.unwrap_err().kind(), ErrorKind::Damaged, "{fault:?}");
        assert!(names(&scene.target, "snapshots").await.is_empty());
        scene.mirror(&options).await.unwrap();
        let mirror = scene
            .repository
            .with_storage(Arc::new(scene.target.clone()));
        assert_eq!(sound_snapshots(&mirror, "after it told the truth").await, 1);
    }
}
