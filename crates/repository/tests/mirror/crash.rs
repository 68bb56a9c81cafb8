//! Mirroring that is stopped anywhere.

use std::sync::Arc;

use strongroom_repository::mirror::MirrorOptions;
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::FaultyStorage;
use strongroom_testkit::crash_points::CrashPoints;
use strongroom_testkit::engine::FakeHost;

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
    let points = CrashPoints {
        sent_again_max_bytes: Some(0),
        ..CrashPoints::new("mirror", &start)
    };
    let tried = points
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

/// The first run: at every call there is nothing, or a repository whose snapshots are whole.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_the_first_run_stopped_after_every_call() {
    let scene = Scene::new().await;
    scene.back_up(2).await;
    let config = StoragePath::new("config").unwrap();
    let host = FakeHost::new("testhost", 7);
    for calls in 0.. {
        let target = MemoryStorage::missing();
        let stopping = FaultyStorage::stops_after(Arc::new(target.clone()), calls);
        let seen: Arc<dyn Storage> = Arc::new(stopping.clone());
        let options = MirrorOptions::default();
        let done = scene.mirror_into(seen, &options).await;
        let left = scene.repository.with_storage(Arc::new(target.clone()));
        if target.stat(&config).await.is_ok() {
            sound_snapshots(&left, &format!("stopped after call {calls}")).await;
        }
        if done.is_ok() && stopping.asked() <= calls {
            break;
        }
        // The process that was stopped has left its lock.
        host.process(7).die();
        for lock in left.list(strongroom_repository::FileKind::Lock).await.unwrap_or_default() {
            left.delete_file(strongroom_repository::FileKind::Lock, &lock.id)
                .await
                .unwrap();
        }
        let again: Arc<dyn Storage> = Arc::new(target.clone());
        scene.mirror_into(again, &options).await.unwrap();
        assert_eq!(contents(&target).await, contents(&scene.storage).await);
    }
}
