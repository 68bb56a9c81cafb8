//! Mirroring that is stopped anywhere.

use std::sync::Arc;

use strongroom_repository::FileKind;
use strongroom_repository::mirror::MirrorOptions;
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::FaultyStorage;
use strongroom_testkit::crash_points::CrashPoints;

use crate::scene::{DELETE, Scene, contents, mirror, sound_snapshots};

/// A mirror that was being made when the power failed still is what it was before, or more.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t23_t25_an_update_with_removals() {
    let scene = Scene::new().await;
    let old = scene.back_up(2).await;
    scene.mirror(&MirrorOptions::default()).await.unwrap();
    let start = scene.target.fork();
    scene.back_up(3).await;
    scene.forget(&old).await;
    let tried = CrashPoints::new("mirror", &start)
        .run(async |attempt| {
            // The repository's own lock is none of what is stopped here.
            let source = scene.storage.fork();
            let source = scene.repository.with_storage(Arc::new(source));
            mirror(&source, attempt.storage, &DELETE, &attempt.locks).await?;
            Ok(())
        })
        .await;
    assert!(tried.changes >= 8 && tried.asked_restic > 0, "{tried:?}");
}

/// The first run: at every call there is nothing, or a repository whose snapshots are whole; the next run sends what is
/// missing and no more.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t23_t25_the_first_run_stopped_after_every_call() {
    let scene = Scene::new().await;
    scene.back_up(2).await;
    let config = StoragePath::new("config").unwrap();
    let options = MirrorOptions::default();
    for calls in 0.. {
        let target = MemoryStorage::missing();
        let stopping = FaultyStorage::stops_after(Arc::new(target.clone()), calls);
        let done = scene
            .mirror_into(Arc::new(stopping.clone()), &options)
            .await;
        let left = scene.repository.with_storage(Arc::new(target.clone()));
        let has_begun = target.stat(&config).await.is_ok();
        if has_begun {
            sound_snapshots(&left, &format!("stopped after call {calls}")).await;
        }
        if done.is_ok() && stopping.asked() <= calls {
            break;
        }
        // The lock of the process that was stopped.
        for lock in left.list(FileKind::Lock).await.unwrap_or_default() {
            left.delete_file(FileKind::Lock, &lock.id).await.unwrap();
        }
        let present = match has_begun {
            true => contents(&target).await.len() - 1,
            false => 0,
        };
        let again = scene
            .mirror_into(Arc::new(target.clone()), &options)
            .await
            .unwrap();
        let all = contents(&scene.storage).await;
        assert_eq!(contents(&target).await, all);
        assert_eq!(again.files_copied as usize, all.len() - 1 - present);
    }
}
