//! Where nothing must be changed.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::own_files::OwnFolder;
use strongroom_repository::prune::{EmptyTrash, PruneOptions};
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{Storage, WriteMode};
use strongroom_testkit::ResticLayoutStorage;

use crate::scene::{Scene, check, day, everything, forget, live, plan_prune, prune};

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_hold_a_trash_loses_no_snapshot() {
    let scene = Scene::new().await;
    let plain: Arc<dyn Storage> = Arc::new(scene.storage.clone());
    let repository = scene
        .repository
        .with_storage(Arc::new(ResticLayoutStorage::new(plain)));
    let refused = forget(&repository, &scene.snapshots[..1], day(0)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(live(&repository).await.len(), 3);
    // A prune there has no trash to look at.
    prune(&repository, &everything(day(0))).await.unwrap();
}

async fn overwrite(repository: &Repository, name: &str, data: Vec<u8>) {
    repository
        .write_own(
            OwnFolder::Trash,
            name,
            Bytes::from(data),
            WriteMode::Replace,
        )
        .await
        .unwrap();
}

/// What a record that cannot be read needs is not known, so nothing may go.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_stops_a_prune_and_is_found_by_the_check() {
    let scene = Scene::new().await;
    let [first, second] = [scene.ids()[0].to_hex(), scene.ids()[1].to_hex()];
    let (_, good) = scene.fork();
    forget(&good, &scene.snapshots[..2], day(0)).await.unwrap();
    let stored = good.read_own(OwnFolder::Trash, &first).await.unwrap();
    let mut flipped = stored.to_vec();
    flipped[40] ^= 1;
    let another = good.read_own(OwnFolder::Trash, &second).await.unwrap();
    let nonsense = good.seal_own(b"{\"version\":1}").unwrap();
    let newer = good.seal_own(b"{\"version\":2,\"more\":1}").unwrap();
    for damaged in [
        Vec::new(),
        stored[..stored.len() / 2].to_vec(),
        flipped,
        another.to_vec(),
        nonsense,
        newer,
    ] {
        let (_, repository) = scene.fork();
        forget(&repository, &scene.snapshots[..2], day(0))
            .await
            .unwrap();
        overwrite(&repository, &first, damaged).await;
        let refused = plan_prune(&repository, &everything(day(0))).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Damaged);
        let checked = check(&repository).await;
        assert_eq!(checked.errors_count, 1, "{:#?}", checked.errors);
        let unreadable = repository.load_trash_entry(&scene.ids()[0]).await;
        assert_eq!(unreadable.unwrap_err().kind(), ErrorKind::Damaged);
        // Given up by hand, everything else goes on.
        let all = PruneOptions {
            empty_trash: EmptyTrash::All,
            ..everything(day(0))
        };
        prune(&repository, &all).await.unwrap();
        assert!(check(&repository).await.is_sound());
    }
}

/// A forget whose write was torn must not stop all prunes: its snapshot is there, and needs what it needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_record_of_a_snapshot_that_is_there_is_tidied_up() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    let torn = scene.ids()[0].to_hex();
    overwrite(repository, &torn, b"{\"version\":1,".to_vec()).await;
    assert!(check(repository).await.is_sound());
    let report = prune(repository, &everything(day(0))).await.unwrap();
    assert_eq!((report.trash_removed, report.packs_removed), (1, 0));
    assert!(repository.list_trash().await.unwrap().is_empty());
    assert_eq!(live(repository).await.len(), 3);
}

/// A plan whose trash has changed would remove what somebody has put there since.
#[tokio::test(flavor = "multi_thread")]
async fn a_prune_whose_trash_has_changed_removes_nothing() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    forget(repository, &scene.snapshots[..1], day(0))
        .await
        .unwrap();
    let plan = plan_prune(repository, &everything(day(0))).await.unwrap();
    repository
        .delete_own(OwnFolder::Trash, &scene.ids()[0].to_hex())
        .await
        .unwrap();
    let locks = strongroom_testkit::engine::FakeHost::new("here", 1)
        .lock_options(&strongroom_testkit::engine::FakeClock::new());
    let cancel = tokio_util::sync::CancellationToken::new();
    let access = strongroom_repository::lock::Access::Exclusive;
    let lock = repository.lock(access, &locks, &cancel).await.unwrap();
    let silent = strongroom_repository::progress::Silent;
    let refused = repository.prune(plan, &lock, &silent, &cancel).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    lock.release().await.unwrap();
}
