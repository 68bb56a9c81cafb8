//! restic knows nothing of the trash: what it prunes away is told, and nothing else is harmed.

use std::sync::Arc;

use strongroom_repository::check::FindingKind;

use crate::scene::{
    Scene, check, day, everything, forget, live, on_disk, plan_back, prune, read_back, trashed,
    undelete,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_restic_has_pruned_away_is_said_and_does_not_come_back_by_halves() {
    let scene = Scene::new().await;
    forget(&scene.repository, &scene.snapshots[..2], day(0))
        .await
        .unwrap();
    let (dir, restic) = on_disk(&scene.storage).await;
    restic.run(["prune", "--max-unused", "0"]).ok();
    restic.check_read_data();
    let storage = read_back(&dir.path().join("repository")).await;
    let repository = scene.repository.with_storage(Arc::new(storage));
    let thrown = trashed(&repository).await;
    assert_eq!(thrown, scene.ids()[..2]);

    let checked = check(&repository).await;
    assert!(checked.is_sound(), "{:#?}", checked.errors);
    let told = checked.hints.iter().filter(|hint| {
        let FindingKind::TrashIncomplete { snapshot } = hint.kind else {
            return false;
        };
        thrown.contains(&snapshot)
    });
    assert_eq!(told.count(), 2, "{:#?}", checked.hints);

    let report = undelete(&repository, &thrown).await.unwrap();
    assert_eq!((report.restored.len(), report.left.len()), (0, 2));
    assert_eq!(live(&repository).await, scene.ids()[2..]);
    // It is no reason for our prune to stop for ever.
    let plan = crate::scene::plan_prune(&repository, &everything(day(1)))
        .await
        .unwrap();
    assert_eq!(plan.figures().trash_incomplete, 2);
    prune(&repository, &everything(day(1))).await.unwrap();
    assert_eq!(trashed(&repository).await, thrown);

    // Asked for all the same, they come back for what is left of them.
    let mut plan = plan_back(&repository, &thrown).await.unwrap();
    assert!(plan.entries.iter().all(|entry| entry.missing.count > 0));
    plan.incomplete_too = true;
    let lock = crate::scene::append(&repository).await;
    let cancel = tokio_util::sync::CancellationToken::new();
    let report = plan.execute(&repository, &lock, &cancel).await.unwrap();
    assert_eq!(report.restored, thrown);
    assert!(!check(&repository).await.is_sound());
}
