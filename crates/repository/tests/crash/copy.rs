//! Copies into another repository.

use std::sync::Arc;

use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_storage::MemoryStorage;
use strongroom_testkit::crash_points::CrashPoints;
use strongroom_testkit::engine::new_repository;
use tokio_util::sync::CancellationToken;

use crate::scene::{PACK_BYTES, Scene, locked, open};

/// A snapshot that appears before its data is one that cannot be restored.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t23_t25_a_copy() {
    let source = Scene::with_snapshots().await;
    let target = MemoryStorage::new();
    new_repository(Arc::new(target.clone())).await;
    let destination = open(Arc::new(target.clone())).await;
    let points = CrashPoints {
        sent_again_max_bytes: Some(2 * PACK_BYTES),
        ..CrashPoints::new("copy", &target)
    };
    let tried = points
        .run(async |attempt| {
            let destination = destination.with_storage(attempt.storage);
            let work = async |lock: &_| {
                destination.load_index_to_write(lock, &Silent).await?;
                let snapshots = source.repository.load_snapshots(&Silent).await?;
                let cancel = CancellationToken::new();
                let plan = destination
                    .plan_copy(&source.repository, snapshots, &Silent, &cancel)
                    .await?;
                let from = &source.repository;
                destination.copy(from, plan, lock, &Silent, &cancel).await?;
                Ok(())
            };
            locked(&destination, Access::Append, &attempt.locks, work).await
        })
        .await;
    assert!(tried.changes >= 8 && tried.asked_restic > 0, "{tried:?}");
}
