//! Backups, and what they go on from (T-23).

use strongroom_testkit::crash_points::CrashPoints;

use crate::scene::{PACK_BYTES, Scene};

/// The blobs of a pack that is open when the process dies, sealed with a header, and one of each type.
const SENT_AGAIN_MAX_BYTES: u64 = 2 * PACK_BYTES;

#[tokio::test(flavor = "multi_thread")]
async fn t19_t23_t25_a_first_backup() {
    let scene = Scene::new().await;
    let points = CrashPoints {
        sent_again_max_bytes: Some(SENT_AGAIN_MAX_BYTES),
        ..CrashPoints::new("first backup", &scene.storage)
    };
    let tried = points
        .run(async |attempt| scene.backup(attempt, 1, None).await.map(drop))
        .await;
    assert!(tried.changes >= 6 && tried.asked_restic > 0, "{tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t23_t25_a_second_backup() {
    let scene = Scene::with_snapshots().await;
    let parent = scene.snapshot_ids().await.pop();
    scene.write("folder0/large", 20, 90_000);
    scene.write("new/a", 21, 90_000);
    scene.write("new/b", 22, 90_000);
    let points = CrashPoints {
        sent_again_max_bytes: Some(SENT_AGAIN_MAX_BYTES),
        ..CrashPoints::new("second backup", &scene.storage)
    };
    let tried = points
        .run(async |attempt| scene.backup(attempt, 4, parent).await.map(drop))
        .await;
    assert!(tried.changes >= 6 && tried.asked_restic > 0, "{tried:?}");
}
