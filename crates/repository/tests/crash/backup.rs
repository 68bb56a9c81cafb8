//! Backups, and what they go on from (T-23).

use std::sync::Arc;

use strongroom_repository::progress::Silent;
use strongroom_repository::{ErrorKind, FileKind};
use strongroom_storage::Operation;
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use strongroom_testkit::{Fault, FaultyStorage, on_disk};
use tokio_util::sync::CancellationToken;

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

/// Ctrl-C: what was stored is indexed, so that even a run that finds no dead process uses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_backup_publishes_nothing_and_indexes_what_it_stored() {
    let scene = Scene::new().await;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let mut packs = 0;
    let storage = FaultyStorage::new(Arc::new(scene.storage.clone()), move |asked| {
        packs += usize::from(asked.is(Operation::Write, "data"));
        if packs == 2 {
            token.cancel();
        }
        Fault::None
    });
    let attempt = Attempt {
        storage: Arc::new(storage),
        ..scene.attempt()
    };
    let result = scene.backup_until(&cancel, attempt, 1, None).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    let repository = &scene.repository;
    for kind in [FileKind::Snapshot, FileKind::Lock] {
        assert!(repository.list(kind).await.unwrap().is_empty(), "{kind:?}");
    }
    let index = repository.load_index(&Silent).await.unwrap();
    let packs = repository.list(FileKind::Pack).await.unwrap();
    assert!(!packs.is_empty());
    assert_eq!(index.packs().len(), packs.len());
    let (_dir, restic) = on_disk(&scene.storage).await;
    restic.check_read_data();
}
