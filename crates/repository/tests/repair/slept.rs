//! Story T-06 for whatever writes index files beside backup and prune: a process sleeps past the life of its lock, which
//! another machine removes as stale. From then on it names nothing and removes nothing, for others may have pruned.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use strongroom_repository::check::ReadData;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{IndexRepairOptions, PacksToRepair, SnapshotsRepairOptions};
use strongroom_repository::rewrite::{DropMetadata, RewriteOptions, plan_rewrite};
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::engine::{FakeClock, FakeHost, open_repository};
use strongroom_testkit::simulated_storage::Interleave;
use strongroom_testkit::{Asked, Faults, SimulatedStorage};
use tokio_util::sync::CancellationToken;

use crate::crash::damaged;
use crate::fixture::{Fixture, check, files, in_memory};
use crate::scene::{now, on, repair_index, repair_packs};

/// Far longer than any lock is believed.
const NIGHT: Duration = Duration::from_secs(9 * 3600);

/// After one of its calls the process sleeps, and its lock is removed meanwhile.
struct Nap {
    truth: MemoryStorage,
    clock: Arc<FakeClock>,
    after: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: usize,
    /// The files when it woke up without its lock.
    woke_up_to: Option<BTreeSet<StoragePath>>,
}

#[async_trait]
impl Interleave for Nap {
    async fn answered(&self, _: &str, _: &Asked, _: Duration) {
        let call = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            state.calls - 1
        };
        if call != self.after {
            return;
        }
        self.clock.pass(NIGHT);
        let locks = files(&self.truth, "locks").await;
        for lock in &locks {
            self.truth.delete(lock).await.unwrap();
        }
        if !locks.is_empty() {
            let left = vital(&self.truth).await;
            self.state.lock().unwrap().woke_up_to = Some(left);
        }
    }
}

/// What nobody may add to or take from without a lock. New packs are waste as long as nothing names them, and so are
/// copies in the quarantine.
async fn vital(storage: &MemoryStorage) -> BTreeSet<StoragePath> {
    let all = files(storage, "").await;
    let is_lock = |path: &StoragePath| path.as_str().starts_with("locks/");
    all.into_iter().filter(|path| !is_lock(path)).collect()
}

fn is_waste(path: &StoragePath) -> bool {
    let path = path.as_str();
    path.starts_with("data/") || path.starts_with("strongroom/quarantine/")
}

/// Lets the operation sleep after each of its calls. Says how often it found out that it had lost its lock.
async fn sleep_everywhere(
    name: &str,
    access: Access,
    start: &MemoryStorage,
    repository: &Repository,
    operation: impl AsyncFn(&Repository, &Lock) -> Result<()>,
) -> usize {
    let mut lost = 0;
    for after in 0.. {
        let truth = start.fork();
        let clock = FakeClock::new();
        let nap = Arc::new(Nap {
            truth: truth.clone(),
            clock: Arc::clone(&clock),
            after,
            state: Mutex::default(),
        });
        let storage = SimulatedStorage::new(truth.clone(), Arc::clone(&clock), 0)
            .interleaved(Arc::<Nap>::clone(&nap));
        let client = storage.client("sleeper", &Faults::none());
        let sleeper = repository.with_storage(Arc::new(client));
        let locks = FakeHost::new("laptop", 1).lock_options(&clock);
        let result = async {
            let cancel = CancellationToken::new();
            let lock = sleeper.lock(access, &locks, &cancel).await?;
            let result = operation(&sleeper, &lock).await;
            let _ = lock.release().await;
            result
        };
        let result = result.await;
        let when = format!("{name} slept after call {after}");
        let (calls, before) = {
            let mut state = nap.state.lock().unwrap();
            (state.calls, state.woke_up_to.take())
        };
        if let Some(before) = before {
            let left = vital(&truth).await;
            let removed: Vec<_> = before.difference(&left).collect();
            assert!(removed.is_empty(), "{when} and removed {removed:?}");
            let mut added = left.difference(&before);
            let named = added.find(|path| !is_waste(path));
            assert_eq!(named, None, "{when} and wrote it");
            lost += usize::from(is_lost(&result, &when));
        }
        if calls <= after {
            result.unwrap_or_else(|error| panic!("{when}: {error}"));
            assert!(after > 10, "{name} made {calls} calls");
            return lost;
        }
    }
    unreachable!()
}

/// It may have come to its end before it slept; any other end is the loss.
fn is_lost(result: &Result<()>, when: &str) -> bool {
    match result {
        Ok(()) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::LockLost, "{when}: {error}");
            true
        }
    }
}

#[tokio::test]
async fn t06_a_repair_of_the_index_that_slept_changes_nothing() {
    let (_fixture, storage, repository) = damaged().await;
    let repair = async |repository: &Repository, lock: &Lock| {
        let (cancel, options) = (CancellationToken::new(), IndexRepairOptions::default());
        let plan = repository
            .plan_repair_index(options, &Silent, &cancel)
            .await?;
        let repaired = repository.repair_index(plan, now(), lock, &Silent, &cancel);
        repaired.await.map(drop)
    };
    let access = Access::Exclusive;
    let lost = sleep_everywhere("repair index", access, &storage, &repository, repair).await;
    assert!(lost > 15, "{lost}");
}

#[tokio::test]
async fn t06_a_repair_of_packs_that_slept_changes_nothing() {
    let (_fixture, storage, repository) = damaged().await;
    repair_index(&repository, false).await.unwrap();
    let repair = async |repository: &Repository, lock: &Lock| {
        let (cancel, which) = (CancellationToken::new(), PacksToRepair::ReadAll);
        let plan = repository
            .plan_repair_packs(&which, 10, &Silent, &cancel)
            .await?;
        let repaired = repository.repair_packs(plan, now(), lock, &Silent, &cancel);
        repaired.await.map(drop)
    };
    let access = Access::Exclusive;
    let lost = sleep_everywhere("repair packs", access, &storage, &repository, repair).await;
    assert!(lost > 15, "{lost}");
}

#[tokio::test]
async fn t06_a_repair_of_snapshots_that_slept_changes_nothing() {
    let (_fixture, storage, repository) = damaged().await;
    repair_index(&repository, false).await.unwrap();
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    let repair = async |repository: &Repository, lock: &Lock| {
        let cancel = CancellationToken::new();
        let options = SnapshotsRepairOptions {
            forget: true,
            ..SnapshotsRepairOptions::default()
        };
        let plan = repository
            .plan_repair_snapshots(&options, &Silent, &cancel)
            .await?;
        let repaired = repository.repair_snapshots(plan, now(), lock, &Silent, &cancel);
        repaired.await.map(drop)
    };
    let access = Access::Exclusive;
    let lost = sleep_everywhere("repair snapshots", access, &storage, &repository, repair).await;
    assert!(lost > 15, "{lost}");
}

#[tokio::test]
async fn t06_a_healing_that_slept_names_nothing() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let source = on(&repository, &storage.fork());
    for pack in files(&storage, "data").await {
        storage.delete(&pack).await.unwrap();
    }
    let report = check(&repository, ReadData::All).await;
    let heal = async |repository: &Repository, lock: &Lock| {
        let cancel = CancellationToken::new();
        let plan = repository
            .plan_heal(&source, &report, &Silent, &cancel)
            .await?;
        let healed = repository.heal(&source, plan, lock, &Silent, &cancel).await;
        healed.map(drop)
    };
    let lost = sleep_everywhere("heal", Access::Append, &storage, &repository, heal).await;
    assert!(lost > 5, "{lost}");
}

#[tokio::test]
async fn t06_a_rewrite_that_slept_publishes_and_removes_nothing() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    for forget in [false, true] {
        let rewrite = async |repository: &Repository, lock: &Lock| {
            let cancel = CancellationToken::new();
            let insensitive: [&str; 0] = [];
            let options = RewriteOptions {
                exclude: PatternSet::parse(["deep/b"], insensitive).unwrap(),
                drop: DropMetadata::default(),
                new_host: None,
                new_time: None,
                snapshot_summary: false,
                forget,
            };
            let files = repository.load_snapshots(&Silent).await?;
            let plan = plan_rewrite(repository, files, options, now(), &Silent, &cancel).await?;
            let rewritten = plan.execute(repository, lock, &Silent, &cancel).await;
            rewritten.map(drop)
        };
        let access = match forget {
            true => Access::Exclusive,
            false => Access::Append,
        };
        let lost = sleep_everywhere("rewrite", access, &storage, &repository, rewrite).await;
        assert!(lost > 15, "{lost}");
    }
}
