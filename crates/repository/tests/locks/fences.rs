//! Whether a lock still stands is asked when it has to be, and no answer is taken for another.

use std::sync::Arc;
use std::time::Duration;

use strongroom_repository::lock::{Access, LockOptions, REFRESH_AFTER};
use strongroom_repository::{ErrorKind, FileKind};
use strongroom_storage::{ErrorKind as StorageKind, Operation, Retry};
use strongroom_testkit::RecordingStorage;
use strongroom_testkit::engine::FakeHost;
use tokio_util::sync::CancellationToken;

use crate::{HOUR, hold, repository, with_fault};

/// A prune deletes thousands of files. A question before each would cost hours over a network; none after a sleep would
/// delete what a backup has relied on since.
#[tokio::test(start_paused = true)]
async fn t06_many_deletions_in_a_row_ask_again_after_a_sleep_and_not_before() {
    let (repository, clock) = repository().await;
    let storage = RecordingStorage::new(Arc::clone(repository.storage()));
    let recorded = repository.with_storage(Arc::new(storage.clone()));
    let lock = hold(&recorded, Access::Exclusive, "laptop", 1, &clock).await;
    storage.take();
    for _ in 0..10 {
        lock.verify_if_slept().await.unwrap();
    }
    assert_eq!(storage.take().len(), 0);
    clock.pass(HOUR);
    for file in repository.list(FileKind::Lock).await.unwrap() {
        let removing = repository.delete_file(FileKind::Lock, &file.id);
        removing.await.unwrap();
    }
    let _backup = hold(&repository, Access::Append, "server", 2, &clock).await;
    let lost = lock.verify_if_slept().await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::LockLost);
}

/// Nobody else could work on the repository as long as a process lives that has given its lock up without a word.
#[tokio::test(start_paused = true)]
async fn a_lock_that_is_dropped_is_not_written_anew() {
    let (repository, clock) = repository().await;
    let storage = RecordingStorage::new(Arc::clone(repository.storage()));
    let recorded = repository.with_storage(Arc::new(storage.clone()));
    drop(hold(&recorded, Access::Append, "one", 1, &clock).await);
    storage.take();
    for _ in 0..10 {
        clock.pass(REFRESH_AFTER);
        tokio::time::sleep(REFRESH_AFTER + Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(storage.count(Operation::Write, "locks"), 0);
}

/// Who waits for a lock waits for its holder; a storage that refuses is told at once and not after an hour.
#[tokio::test(start_paused = true)]
async fn a_storage_that_refuses_is_not_waited_for() {
    let (repository, clock) = repository().await;
    let begun = tokio::time::Instant::now();
    for kind in [StorageKind::PermissionDenied, StorageKind::Unreachable] {
        let faulty = with_fault(&repository, Operation::Write, kind, Retry::Never);
        let options = LockOptions {
            retry_for: HOUR,
            ..FakeHost::new("one", 1).lock_options(&clock)
        };
        let cancel = CancellationToken::new();
        let locking = faulty.lock(Access::Exclusive, &options, &cancel);
        let error = locking.await.unwrap_err();
        assert_eq!(error.storage().unwrap().kind, kind);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// That the file of a lock could not be looked at does not say that somebody has removed it.
#[tokio::test]
async fn t06_a_fresh_lock_is_not_lost_because_its_file_cannot_be_looked_at() {
    let (repository, clock) = repository().await;
    let kind = StorageKind::Unreachable;
    let faulty = with_fault(&repository, Operation::Stat, kind, Retry::Never);
    let lock = hold(&faulty, Access::Append, "one", 1, &clock).await;
    let error = lock.verify().await.unwrap_err();
    assert_eq!(error.storage().map(|error| error.kind), Some(kind));
    lock.release().await.unwrap();
}

/// Every backup would list all packs, as only one that comes after a dead process has to.
#[tokio::test]
async fn where_nobody_died_nobody_is_said_to_have_died() {
    let (repository, clock) = repository().await;
    let first = hold(&repository, Access::Append, "one", 1, &clock).await;
    let second = hold(&repository, Access::Append, "other", 2, &clock).await;
    for lock in [first, second] {
        assert!(!lock.met_dead());
        lock.release().await.unwrap();
    }
}
