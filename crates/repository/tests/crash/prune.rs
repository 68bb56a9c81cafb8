//! A prune with everything that it does: repacking, new index files, removal.

use std::sync::Arc;

use strongroom_repository::FileKind;
use strongroom_repository::Result;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::{MaxUnused, PruneOptions, PruneReport};
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, locked};

pub async fn prune(scene: &Scene, attempt: Attempt) -> Result<PruneReport> {
    let repository = scene.process(attempt.storage);
    let options = PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        now: scene.now(),
        ..PruneOptions::default()
    };
    locked(
        &repository,
        Access::Exclusive,
        &attempt.locks,
        async |lock| {
            let cancel = CancellationToken::new();
            let plan = repository.plan_prune(&options, &Silent, &cancel).await?;
            repository.prune(plan, lock, &Silent, &cancel).await
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t21_t25_a_prune() {
    let scene = Scene::with_snapshots().await;
    let first = scene.snapshot_ids().await[0];
    let forgotten = scene.repository.delete_file(FileKind::Snapshot, &first);
    forgotten.await.unwrap();
    let did = Arc::new(std::sync::Mutex::new(Vec::new()));
    let points = CrashPoints {
        tidies: true,
        ..CrashPoints::new("prune", &scene.storage)
    };
    let tried = points
        .run(async |attempt| {
            let report = prune(&scene, attempt).await?;
            did.lock().unwrap().push(report);
            Ok(())
        })
        .await;
    // The first is the one that nobody disturbed.
    let whole = did.lock().unwrap()[0];
    assert!(
        whole.packs_written > 0 && whole.packs_removed > 1,
        "{whole:?}"
    );
    assert!(
        whole.indexes_written > 0 && whole.indexes_removed > 0,
        "{whole:?}"
    );
    assert!(tried.changes > 8 && tried.asked_restic > 0, "{tried:?}");
}
