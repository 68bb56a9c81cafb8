//! A prune that is killed after any of its storage calls, or whose storage lies, loses nothing.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_storage::{ErrorKind, MemoryStorage, Operation, Retry};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{Asked, Fault, FaultyStorage};

use crate::fixture::{
    Fixture, assert_sound, check, in_memory, on_disk, plan, prune, prune_unlocked,
};

fn everything() -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        ..PruneOptions::default()
    }
}

async fn with_unused() -> (Fixture, MemoryStorage) {
    let fixture = Fixture::two_snapshots(2).0;
    fixture.write("third", 8, 600_000);
    std::fs::remove_file(fixture.source().join("deep/b")).unwrap();
    fixture.backup();
    let ids = fixture.restic.snapshot_ids();
    fixture.restic.run(["forget", &ids[0]]).ok();
    let whole = in_memory(&fixture.path()).await;
    (fixture, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_call_every_snapshot_is_whole_and_the_next_prune_finishes() {
    let (_fixture, whole) = with_unused().await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let target = {
        let done = repository.with_storage(Arc::new(whole.fork()));
        prune(&done, &everything()).await.unwrap();
        plan(&done, &everything())
            .await
            .unwrap()
            .figures()
            .total()
            .blobs
    };
    let mut calls = 0;
    loop {
        let left = whole.fork();
        let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
        let result = prune(&repository.with_storage(Arc::new(faulty)), &everything()).await;
        let survivor = repository.with_storage(Arc::new(left.clone()));
        let report = check(&survivor, ReadData::All).await;
        assert_sound(&report, &format!("killed after {calls} calls"));
        assert_eq!(report.figures.snapshots, 2);
        // The lock of the dead process is in the way; what that means is the lock's matter.
        prune_unlocked(&survivor, &everything()).await.unwrap();
        assert_sound(
            &check(&survivor, ReadData::All).await,
            &format!("finished after {calls} calls"),
        );
        let after = plan(&survivor, &everything()).await.unwrap();
        assert_eq!(
            after.figures().total().blobs,
            target,
            "killed after {calls} calls"
        );
        assert_eq!(after.figures().packs_unreferenced, 0);
        if calls % 10 == 3 {
            let (_dir, restic) = on_disk(&left).await;
            restic.run(["unlock", "--remove-all"]).ok();
            restic.check_read_data();
        }
        if result.is_ok() {
            break;
        }
        calls += 1;
    }
    assert!(calls > 20, "{calls}");
}

/// What happens to a write or a delete, one after the other: either the prune notices and nothing is lost, or it is
/// harmless.
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_storage_that_fails_or_lies_about_a_write_or_a_delete_costs_nothing() {
    let (_fixture, whole) = with_unused().await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let is_change = |asked: &Asked| {
        [Operation::Write, Operation::Delete]
            .iter()
            .any(|operation| asked.is(*operation, "data") || asked.is(*operation, "index"))
    };
    for fault in [
        Fault::Lose,
        Fault::Truncate(40),
        Fault::Torn(40),
        Fault::Duplicate,
        Fault::Fail(ErrorKind::NoSpace, Retry::Never),
    ] {
        for nth in 0.. {
            let left = whole.fork();
            let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let count = Arc::clone(&seen);
            let picks = move |asked: &Asked| {
                is_change(asked) && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == nth
            };
            let faulty = FaultyStorage::every(Arc::new(left.clone()), picks, fault);
            let _ = prune(&repository.with_storage(Arc::new(faulty)), &everything()).await;
            let survivor = repository.with_storage(Arc::new(left));
            let report = check(&survivor, ReadData::All).await;
            // A torn or lost file may be left behind; what snapshots need must be there.
            assert!(
                report.affected.is_empty(),
                "{fault:?} at change {nth}: {:#?}",
                report.errors
            );
            if seen.load(std::sync::atomic::Ordering::SeqCst) <= nth {
                assert!(nth > 4, "{nth}");
                break;
            }
        }
    }
}
