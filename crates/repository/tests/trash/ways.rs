//! There and back, and when nobody asks back.

use strongroom_repository::FileKind;

use crate::scene::{
    Scene, check, day, everything, forget, live, prune, trashed, undelete, witness,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_comes_back_as_the_same_file_after_a_prune() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    let first = scene.ids()[0];
    let before = repository.load_raw(FileKind::Snapshot, &first).await;
    let plan = forget(repository, &scene.snapshots[..2], day(0))
        .await
        .unwrap();
    assert_eq!(plan.trash.unwrap().kept_until, day(14));
    assert_eq!(live(repository).await, scene.ids()[2..]);
    assert_eq!(trashed(repository).await, scene.ids()[..2]);

    let report = prune(repository, &everything(day(1))).await.unwrap();
    assert_eq!((report.packs_removed, report.trash_removed), (0, 0));
    let checked = check(repository).await;
    assert!(checked.is_sound(), "{:#?}", checked.errors);
    assert_eq!((checked.figures.snapshots, checked.figures.trash), (1, 2));
    // All of it counts as used: nobody is told to remove something.
    assert_eq!(checked.figures.blobs, checked.figures.blobs_used);

    let report = undelete(repository, &scene.ids()[..2]).await.unwrap();
    assert_eq!(report.restored, scene.ids()[..2]);
    assert!(trashed(repository).await.is_empty());
    let after = repository.load_raw(FileKind::Snapshot, &first).await;
    assert_eq!(after.unwrap(), before.unwrap());
    assert!(check(repository).await.is_sound());
}

/// Space that nobody gets back.
#[tokio::test(flavor = "multi_thread")]
async fn when_its_time_has_come_a_prune_removes_the_record_and_the_data() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    forget(repository, &scene.snapshots[..1], day(0))
        .await
        .unwrap();
    for number in 1..=14 {
        witness(repository, &scene.snapshots[2], day(number)).await;
    }
    let early = prune(repository, &everything(day(13))).await.unwrap();
    assert_eq!((early.trash_removed, early.packs_removed), (0, 0));
    let due = prune(repository, &everything(day(14))).await.unwrap();
    assert_eq!(due.trash_removed, 1);
    assert!(due.packs_removed > 0);
    assert!(trashed(repository).await.is_empty());
    assert!(check(repository).await.is_sound());
}

/// Forgotten for good, then into the trash, then for good: the trash does not hold on for longer than it says, and
/// emptying it is possible whatever the clocks say.
#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_emptied_by_hand() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    forget(repository, &scene.snapshots[..1], day(0))
        .await
        .unwrap();
    let all = strongroom_repository::prune::PruneOptions {
        empty_trash: strongroom_repository::prune::EmptyTrash::All,
        ..everything(day(0))
    };
    let emptied = prune(repository, &all).await.unwrap();
    assert_eq!(emptied.trash_removed, 1);
    assert!(emptied.packs_removed > 0);
    assert!(check(repository).await.is_sound());
}

/// A snapshot that is in both places (its removal was interrupted) is forgotten for longer, never for shorter.
#[tokio::test(flavor = "multi_thread")]
async fn forgotten_twice_it_is_kept_for_the_longer_time() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    let (first, id) = (&scene.snapshots[..1], scene.ids()[0]);
    for (now, until) in [(day(5), day(19)), (day(2), day(19)), (day(9), day(23))] {
        forget(repository, first, now).await.unwrap();
        let entry = repository.load_trash_entry(&id).await.unwrap();
        assert_eq!(entry.record.kept_until.instant(), until);
        // As an undelete leaves it that was killed before its last step.
        let stored = bytes::Bytes::from(entry.record.stored.clone());
        let path = FileKind::Snapshot.path(&id).unwrap();
        let (mode, class) = (
            strongroom_storage::WriteMode::New,
            strongroom_storage::Class::Metadata,
        );
        let storage = repository.storage();
        storage.write(&path, stored, mode, class).await.unwrap();
    }
    let report = undelete(repository, &[id]).await.unwrap();
    assert_eq!(report.restored, [id]);
    assert!(trashed(repository).await.is_empty());
    assert_eq!(live(repository).await.len(), 3);
}
