//! What comes to the mirror and what goes.

use std::sync::Arc;

use strongroom_repository::mirror::MirrorOptions;
use strongroom_storage::{Operation, Storage, StoragePath};
use strongroom_testkit::{CompareOptions, RecordingStorage, assert_same_trees, on_disk};

use crate::scene::{DELETE, Scene, contents, names, sound_snapshots, write};

/// When the repository is gone the mirror is all there is: restic has to get everything back from it.
#[tokio::test(flavor = "multi_thread")]
async fn restic_restores_from_the_mirror_alone() {
    let scene = Scene::new().await;
    let report = scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        contents(&scene.target).await,
        contents(&scene.storage).await
    );

    scene.back_up(2).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let (dir, restic) = on_disk(&scene.target).await;
    restic.check_read_data();
    assert_eq!(restic.snapshot_ids().len(), 2);
    let restored = dir.path().join("restored");
    restic.restore_folder("latest", &scene.source(), &restored);
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&scene.source(), &restored, &options);
}

/// A mirror that sends everything each night is one that is switched off.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_new_is_read_and_sent() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let before = contents(&scene.storage).await.len();
    scene.back_up(2).await;
    let new = contents(&scene.storage).await.len() - before;
    let planned = scene.figures(&MirrorOptions::default()).await.unwrap();
    assert_eq!(
        (planned.files_new, planned.snapshots_new, planned.files_same),
        (new as u64, 1, before as u64)
    );

    let source = RecordingStorage::new(Arc::new(scene.storage.clone()));
    let target = RecordingStorage::new(Arc::new(scene.target.clone()));
    let repository = scene.repository.with_storage(Arc::new(source.clone()));
    let seen = Scene {
        repository,
        ..scene
    };
    let report = seen
        .mirror_into(Arc::new(target.clone()), &MirrorOptions::default())
        .await
        .unwrap();
    assert_eq!(
        (report.files_copied, report.bytes_copied),
        (planned.files_new, planned.bytes_new)
    );
    for folder in ["data/", "index/", "snapshots/", "keys/"] {
        let written = target.count(Operation::Write, folder);
        assert_eq!(source.count(Operation::Read, folder), written, "{folder}");
    }
    assert_eq!(target.count(Operation::Write, "snapshots/"), 1);
    assert_eq!(target.count(Operation::Delete, "data/"), 0);
}

/// Somebody who empties the repository must not have emptied the mirror by that.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_repository_has_lost_stays_unless_its_removal_is_asked_for() {
    let scene = Scene::new().await;
    let old = scene.back_up(2).await;
    scene.back_up(3).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    scene.forget(&old).await;

    let figures = scene.figures(&MirrorOptions::default()).await.unwrap();
    assert_eq!((figures.snapshots_extra, figures.files_removed), (1, 0));
    let report = scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert_eq!(report.files_removed, 0);
    let mirror = scene
        .repository
        .with_storage(Arc::new(scene.target.clone()));
    assert_eq!(sound_snapshots(&mirror, "nothing removed").await, 3);

    let figures = scene.figures(&DELETE).await.unwrap();
    assert_eq!(figures.files_removed, figures.files_extra);
    let report = scene.mirror(&DELETE).await.unwrap();
    assert_eq!(report.files_removed, figures.files_extra);
    assert_eq!(sound_snapshots(&mirror, "removed").await, 2);
    assert_eq!(
        contents(&scene.target).await,
        contents(&scene.storage).await
    );
    assert!(scene.figures(&DELETE).await.unwrap().is_nothing());
    on_disk(&scene.target).await.1.check_read_data();
}

/// Files of others, and the locks of those who work in the mirror, are not ours to copy or to remove.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_repositorys_are_left_alone_on_both_sides() {
    let scene = Scene::new().await;
    let note = StoragePath::new("data/README").unwrap();
    let lock = StoragePath::new(format!("locks/{}", "a".repeat(64))).unwrap();
    write(&scene.storage, &note, b"here".to_vec()).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert!(scene.target.stat(&note).await.is_err());

    let other = StoragePath::new("snapshots/notes.txt").unwrap();
    write(&scene.target, &other, b"there".to_vec()).await;
    write(&scene.storage, &lock, b"a lock of this side".to_vec()).await;
    let figures = scene.figures(&DELETE).await.unwrap();
    assert!(figures.is_nothing(), "{figures:?}");
    assert!(scene.target.stat(&other).await.is_ok());
    assert!(names(&scene.target, "locks").await.is_empty());
}

/// After a change of password the mirror opens with the new one; with the old one it opens until removals are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn keys_come_and_go_as_files_do() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let old = names(&scene.storage, "keys").await;
    let content = crate::scene::read(&scene.storage, &old[0]).await;
    let mut json: serde_json::Value = serde_json::from_slice(&content).unwrap();
    json["username"] = "somebody".into();
    let content = json.to_string().into_bytes();
    let new = strongroom_repository::format::Id::of(&content);
    let path = StoragePath::new(format!("keys/{new}")).unwrap();
    write(&scene.storage, &path, content).await;
    scene.storage.delete(&old[0]).await.unwrap();
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert_eq!(names(&scene.target, "keys").await.len(), 2);
    scene.mirror(&DELETE).await.unwrap();
    assert_eq!(names(&scene.target, "keys").await, [path]);
}
