//! Making parity is stopped, or its storage lies, at every call.

use std::sync::Arc;

use strongroom_repository::parity::{self, ParityOptions};
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{MemoryStorage, Operation};
use strongroom_testkit::{Asked, Fault, FaultyStorage, Random};

use crate::vault::{self, all, exclusive};

async fn filled() -> (Repository, MemoryStorage) {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(3);
    for size in [300, 700, 150_000, 160_000, 400_000] {
        vault::add(&storage, FileKind::Pack, random.bytes(size)).await;
    }
    (repository, storage)
}

async fn unlocked(storage: &MemoryStorage) {
    for path in vault::files(storage, "locks/").await.keys() {
        vault::delete(storage, path).await;
    }
}

/// What is left is sound, and the next run makes of it what an undisturbed one would have made.
async fn assert_finishes(repository: &Repository, left: &MemoryStorage, what: &str) {
    unlocked(left).await;
    let before = vault::files(left, "").await;
    let survivor = repository.with_storage(Arc::new(left.clone()));
    // As it is: what is protected can be brought back, and nothing is mistaken for damage.
    let plan = vault::plan(left, &all()).await;
    assert_eq!(plan.items(), [], "{what}");
    vault::make(&survivor, &exclusive(20)).await.unwrap();
    let plan = survivor
        .plan_parity(&exclusive(20), &Default::default())
        .await
        .unwrap();
    assert!(plan.is_nothing(), "{what}: {plan:?}");
    assert_eq!(
        plan.figures().files_protected,
        before.len() as u64,
        "{what}"
    );
    assert_eq!(vault::files(left, "").await, before, "{what}");
    let victim = before.keys().max().unwrap();
    vault::delete(left, victim).await;
    let plan = vault::plan(left, &all()).await;
    vault::execute(left, &plan).await;
    assert_eq!(vault::files(left, "").await, before, "{what}");
}

/// Half a group would be believed to protect something.
#[tokio::test(flavor = "multi_thread")]
async fn stopped_after_any_call_what_is_there_is_sound_and_the_next_run_finishes() {
    let (repository, whole) = filled().await;
    // A second scene: parity of another percentage is replaced, and a file was removed.
    let again = whole.fork();
    let open = repository.with_storage(Arc::new(again.clone()));
    vault::make(&open, &exclusive(50)).await.unwrap();
    for (scene, start) in [("new", whole), ("replaced", again)] {
        let mut calls = 0;
        loop {
            let left = start.fork();
            let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
            let result = attempt(&repository.with_storage(Arc::new(faulty)), &exclusive(20)).await;
            let status = parity::status(&left).await.unwrap();
            assert_eq!(status.groups_weakened, 0, "{scene}: {calls} calls");
            assert_finishes(&repository, &left, &format!("{scene}: {calls} calls")).await;
            if result {
                break;
            }
            calls += 1;
        }
        assert!(calls > 20, "{calls}");
    }
}

async fn attempt(repository: &Repository, options: &ParityOptions) -> bool {
    let lock_options = strongroom_testkit::engine::FakeHost::new("testhost", 1)
        .lock_options(&strongroom_testkit::engine::FakeClock::new());
    let cancel = tokio_util::sync::CancellationToken::new();
    let access = strongroom_repository::lock::Access::Exclusive;
    let Ok(lock) = repository.lock(access, &lock_options, &cancel).await else {
        return false;
    };
    let made = async {
        let plan = repository.plan_parity(options, &cancel).await?;
        let progress = strongroom_repository::progress::Silent;
        repository
            .make_parity(&plan, &lock, &progress, &cancel)
            .await
    };
    let made = made.await.is_ok();
    lock.release().await.is_ok() && made
}

/// The parity that such a storage holds is found to be missing or damaged by the next run or by whoever reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_lost_torn_or_done_twice_costs_no_more_than_protection() {
    let (repository, whole) = filled().await;
    for fault in [
        Fault::Lose,
        Fault::Truncate(100),
        Fault::Torn(100),
        Fault::Duplicate,
    ] {
        for nth in 0..12 {
            let left = whole.fork();
            let picks = |asked: &Asked| {
                asked.is(Operation::Write, "strongroom")
                    || asked.is(Operation::Delete, "strongroom")
            };
            let faulty = FaultyStorage::nth(Arc::new(left.clone()), nth, picks, fault);
            attempt(&repository.with_storage(Arc::new(faulty)), &exclusive(20)).await;
            assert_finishes(&repository, &left, &format!("{fault:?} at {nth}")).await;
        }
    }
}
