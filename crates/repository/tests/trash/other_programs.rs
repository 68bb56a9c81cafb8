//! restic knows nothing of the trash: what it prunes away is told, and nothing else is harmed.

use std::sync::Arc;

use strongroom_repository::check::FindingKind;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::SnapshotFile;
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{Class, Storage, WriteMode};

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
    let repository = scene.repository.with_storage(Arc::new(storage.clone()));
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
    // One that lacks nothing is not counted with them.
    let beside = repository.with_storage(Arc::new(storage.fork()));
    forget(&beside, &scene.snapshots[2..], day(1))
        .await
        .unwrap();
    let plan = crate::scene::plan_prune(&beside, &everything(day(1)))
        .await
        .unwrap();
    let figures = plan.figures();
    assert_eq!((figures.trash_kept, figures.trash_incomplete), (3, 2));
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

/// The index says that all is there, and the packs are gone: whoever removed them did not tell the index.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_packs_that_are_gone_or_cut_off_does_not_come_back_by_halves() {
    for cut_off in [false, true] {
        let scene = Scene::new().await;
        forget(&scene.repository, &scene.snapshots[..1], day(0))
            .await
            .unwrap();
        let thrown = trashed(&scene.repository).await;
        // The pack with the data of the first snapshot alone: the first that was written.
        let index = scene.repository.load_index(&Silent).await.unwrap();
        let needs = data_of(&scene.repository, &scene.snapshots[0]).await;
        let others = data_of(&scene.repository, &scene.snapshots[1]).await;
        let own = needs.iter().find(|id| !others.contains(id)).unwrap();
        let pack = index.locate(BlobKind::Data, own).unwrap().pack;
        let path = FileKind::Pack.path(&pack).unwrap();
        let content = scene.storage.read(&path, None, Class::Data).await.unwrap();
        scene.storage.delete(&path).await.unwrap();
        if cut_off {
            let content = content.slice(..content.len() / 2);
            scene
                .storage
                .write(&path, content, WriteMode::New, Class::Data)
                .await
                .unwrap();
        }
        let report = undelete(&scene.repository, &thrown).await.unwrap();
        assert_eq!((report.restored.len(), report.left.len()), (0, 1));
        assert_eq!(trashed(&scene.repository).await, thrown);
        assert!(!live(&scene.repository).await.contains(&thrown[0]));
    }
}

async fn data_of(repository: &Repository, file: &SnapshotFile) -> Vec<Id> {
    let index = repository.load_index(&Silent).await.unwrap();
    let mut data = Vec::new();
    let mut trees = vec![file.snapshot.tree];
    while let Some(tree) = trees.pop() {
        for node in repository.load_tree(&index, &tree).await.unwrap().nodes {
            data.extend(node.content.into_iter().flatten());
            trees.extend(node.subtree);
        }
    }
    data
}
