//! Killed after any storage call: no snapshot is in neither place before its time.

use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::format::Id;
use strongroom_storage::{MemoryStorage, Operation};
use strongroom_testkit::{Asked, Fault, FaultyStorage};

use crate::scene::{
    Scene, check, day, everything, forget, live, on_disk, prune, trashed, undelete, witness,
};

#[derive(Debug, Clone, Copy)]
enum Doing {
    Forget,
    Undelete,
    PruneEarly,
    PruneDue,
}

impl Doing {
    /// What was done before.
    async fn prepare(self, scene: &Scene, repository: &Repository) {
        if matches!(self, Self::Forget) {
            return;
        }
        let thrown = &scene.snapshots[..2];
        forget(repository, thrown, day(0)).await.unwrap();
        if matches!(self, Self::PruneDue) {
            for number in 1..=14 {
                witness(repository, &scene.snapshots[2], day(number)).await;
            }
        }
    }

    async fn run(self, scene: &Scene, repository: &Repository) -> bool {
        let ids = &scene.ids()[..2];
        match self {
            Self::Forget => forget(repository, &scene.snapshots[..2], day(0))
                .await
                .is_ok(),
            Self::Undelete => {
                let mut left = Vec::new();
                for id in ids {
                    match repository.load_trash_entry(id).await {
                        Ok(_) => left.push(*id),
                        Err(error)
                            if error.kind() == strongroom_repository::ErrorKind::NotFound => {}
                        Err(_) => return false,
                    }
                }
                undelete(repository, &left).await.is_ok()
            }
            Self::PruneEarly => prune(repository, &everything(day(1))).await.is_ok(),
            Self::PruneDue => prune(repository, &everything(day(14))).await.is_ok(),
        }
    }
}

/// Every snapshot is live or in the trash, and whatever is in either can be restored.
async fn assert_nothing_lost(scene: &Scene, repository: &Repository, doing: Doing, after: &str) {
    let (live, thrown) = (live(repository).await, trashed(repository).await);
    let is_somewhere = |id: &Id| live.contains(id) || thrown.contains(id);
    if !matches!(doing, Doing::PruneDue) {
        assert!(scene.ids().iter().all(is_somewhere), "{doing:?}, {after}");
    }
    undelete(repository, &thrown).await.unwrap();
    let report = check(repository).await;
    assert!(
        report.is_sound(),
        "{doing:?}, {after}: {:#?}",
        report.errors
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_call_no_snapshot_is_gone_before_its_time() {
    let scene = Scene::new().await;
    for doing in [
        Doing::Forget,
        Doing::Undelete,
        Doing::PruneEarly,
        Doing::PruneDue,
    ] {
        let (start, repository) = scene.fork();
        doing.prepare(&scene, &repository).await;
        let mut calls = 0;
        loop {
            let left = start.fork();
            let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
            let dying = repository.with_storage(Arc::new(faulty));
            let done = doing.run(&scene, &dying).await;
            let after = format!("killed after {calls} calls");
            let at = |storage: MemoryStorage| repository.with_storage(Arc::new(storage));
            assert_nothing_lost(&scene, &at(left.fork()), doing, &after).await;
            // Run again to its end.
            let survivor = at(left.clone());
            assert!(doing.run(&scene, &survivor).await, "{doing:?}, {after}");
            assert_nothing_lost(&scene, &at(left.fork()), doing, &after).await;
            if calls % 10 == 3 {
                let (_dir, restic) = on_disk(&left).await;
                restic.check_read_data();
            }
            if done {
                break;
            }
            calls += 1;
        }
        assert!(calls > 4, "{doing:?}: {calls}");
    }
}

/// A storage that loses, cuts off or repeats a write or a removal, and says that all is well.
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_storage_that_lies_about_the_trash_costs_no_snapshot() {
    let scene = Scene::new().await;
    let is_change = |asked: &Asked| {
        let changes = [Operation::Write, Operation::Delete];
        let folders = ["strongroom", "snapshots"];
        changes
            .iter()
            .any(|change| folders.iter().any(|folder| asked.is(*change, folder)))
    };
    for doing in [Doing::Forget, Doing::Undelete, Doing::PruneDue] {
        for fault in [
            Fault::Lose,
            Fault::Truncate(40),
            Fault::Torn(40),
            Fault::Flip(50),
            Fault::Duplicate,
        ] {
            let (start, repository) = scene.fork();
            doing.prepare(&scene, &repository).await;
            for nth in 0..6 {
                let left = start.fork();
                let faulty = FaultyStorage::nth(Arc::new(left.clone()), nth, is_change, fault);
                let lying = repository.with_storage(Arc::new(faulty));
                doing.run(&scene, &lying).await;
                let survivor = repository.with_storage(Arc::new(left));
                let case = format!("{fault:?} at change {nth}");
                assert_one_good_copy(&scene, &survivor, doing, &case).await;
            }
        }
    }
}

/// Each snapshot can be read in one of its places; what cannot be read lies in the other.
async fn assert_one_good_copy(scene: &Scene, repository: &Repository, doing: Doing, case: &str) {
    if matches!(doing, Doing::PruneDue) {
        return assert!(check(repository).await.affected.is_empty(), "{case}");
    }
    for id in scene.ids() {
        let is_live = repository.load_snapshot(&id).await.is_ok();
        let is_thrown = repository.load_trash_entry(&id).await.is_ok();
        assert!(is_live || is_thrown, "{doing:?}, {case}: {id}");
    }
}
