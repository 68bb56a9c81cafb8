//! What is no mirror of this repository, and what would leave nothing.

use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::lock::Access;
use strongroom_repository::mirror::MirrorOptions;
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::ResticLayoutStorage;
use strongroom_testkit::engine::new_repository;
use tokio_util::sync::CancellationToken;

use crate::scene::{DELETE, Scene, contents, locks, names, write};

/// A typo in an address must not cost the repository that lies there.
#[tokio::test(flavor = "multi_thread")]
async fn another_repository_is_left_as_it_is() {
    let scene = Scene::new().await;
    let other = Scene::new().await;
    let before = contents(&other.storage).await;
    for options in [MirrorOptions::default(), DELETE] {
        let into = Arc::new(other.storage.clone());
        let refused = scene.mirror_into(into, &options).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
    }
    assert_eq!(contents(&other.storage).await, before);

    // One that has lost its configuration may be somebody's last copy.
    let config = strongroom_storage::StoragePath::new("config").unwrap();
    other.storage.delete(&config).await.unwrap();
    let into = Arc::new(other.storage.clone());
    let refused = scene.mirror_into(into, &DELETE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(contents(&other.storage).await, before[1..]);
}

/// Whoever removes all snapshots of a repository would have removed the mirror's by that.
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_snapshots_empties_no_mirror() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    for snapshot in names(&scene.storage, "snapshots").await {
        scene.storage.delete(&snapshot).await.unwrap();
    }
    let before = contents(&scene.target).await;
    let refused = scene.mirror(&DELETE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(contents(&scene.target).await, before);
    // Without removals there is nothing to be afraid of.
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    assert_eq!(contents(&scene.target).await, before);
}

/// A backup that goes straight into the mirror may build on what would be removed beside it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_beside_somebody_who_works_in_the_mirror() {
    let scene = Scene::new().await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let mirror = scene
        .repository
        .with_storage(Arc::new(scene.target.clone()));
    let cancel = CancellationToken::new();
    let lock = mirror
        .lock(Access::Append, &locks(), &cancel)
        .await
        .unwrap();
    let refused = scene.mirror(&DELETE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    lock.release().await.unwrap();
    scene.mirror(&DELETE).await.unwrap();
}

/// A prune of the repository beside a mirroring would take packs from under it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_mirrored_beside_a_prune() {
    let scene = Scene::new().await;
    let cancel = CancellationToken::new();
    let pruning = scene
        .repository
        .lock(Access::Exclusive, &locks(), &cancel)
        .await
        .unwrap();
    let refused = scene.mirror(&MirrorOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    pruning.release().await.unwrap();
}

/// Signatures and parity that silently stayed behind would be missed on the day they are needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_hold_what_is_there_is_told_before_anything_is_copied() {
    let scene = Scene::new().await;
    let own = strongroom_storage::StoragePath::new("strongroom/signatures/head").unwrap();
    write(&scene.storage, &own, b"a statement".to_vec()).await;
    let inner = MemoryStorage::new();
    new_repository(Arc::new(inner.clone())).await;
    let target = MemoryStorage::new();
    let layout = Arc::new(ResticLayoutStorage::new(Arc::new(target.clone())));
    let refused = scene
        .mirror_into(layout, &MirrorOptions::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(names(&target, "data").await.is_empty());
    assert!(names(&target, "snapshots").await.is_empty());
}
