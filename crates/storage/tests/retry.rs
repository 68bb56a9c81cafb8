//! What the retries make of the class of an error and of the operation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use strongroom_storage::{
    Class, ErrorKind, MemoryStorage, Operation, Retry, RetryPolicies, RetryPolicy, RetryStorage,
    Storage, StoragePath, WriteMode,
};
use strongroom_testkit::{Asked, Fault, FaultyStorage};
use tokio::time::Instant;

fn seconds(total_s: u64) -> RetryPolicy {
    RetryPolicy {
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(1),
        total: Duration::from_secs(total_s),
    }
}

fn path() -> StoragePath {
    StoragePath::new("a").unwrap()
}

/// A storage in which calls fail as the rule says, and retries whose pauses are a second each.
fn retried(
    policies: RetryPolicies,
    rule: impl FnMut(&Asked) -> Fault + Send + 'static,
) -> (RetryStorage, FaultyStorage) {
    let faulty = FaultyStorage::new(Arc::new(MemoryStorage::new()), rule);
    let storage = RetryStorage::new(Arc::new(faulty.clone()), policies);
    (storage.with_jitter(|bound| bound), faulty)
}

/// One who waits for a listing is not to wait as long as a nightly upload does.
#[tokio::test(start_paused = true)]
async fn each_operation_has_its_own_time() {
    let policies = RetryPolicies {
        upload: seconds(40),
        download: seconds(30),
        list: seconds(20),
        delete: seconds(10),
        ..seconds(100).into()
    };
    let gone = Fault::Fail(ErrorKind::Unreachable, Retry::Later);
    let (storage, _) = retried(policies, move |_| gone);
    let place = path();
    let start = Instant::now();
    let mut before_s = 0;
    let data = Bytes::new();
    for (error, operation, total_s) in [
        (storage.list(None).await.unwrap_err(), Operation::List, 20),
        (storage.stat(&place).await.unwrap_err(), Operation::Stat, 20),
        (
            storage.delete(&place).await.unwrap_err(),
            Operation::Delete,
            10,
        ),
        (storage.create().await.unwrap_err(), Operation::Create, 40),
        (
            storage.read(&place, None, Class::Data).await.unwrap_err(),
            Operation::Read,
            30,
        ),
        (
            storage
                .write(&place, data, WriteMode::New, Class::Data)
                .await
                .unwrap_err(),
            Operation::Write,
            40,
        ),
    ] {
        assert_eq!(error.operation, operation);
        before_s += total_s;
    }
    assert_eq!(start.elapsed().as_secs(), before_s);
}

/// A misspelt address is found out soon; an outage in the middle of the night is ridden out.
#[tokio::test(start_paused = true)]
async fn a_storage_that_has_never_answered_is_given_up_sooner() {
    let policies = RetryPolicies {
        first_contact: Duration::from_secs(5),
        ..seconds(100).into()
    };
    for answers_first in [false, true] {
        let (storage, _) = retried(policies, move |asked| match asked.number {
            0 if answers_first => Fault::None,
            _ => Fault::Fail(ErrorKind::Unreachable, Retry::Later),
        });
        if answers_first {
            // Also an error is an answer.
            storage.stat(&path()).await.unwrap_err();
        }
        let start = Instant::now();
        storage.list(None).await.unwrap_err();
        let expected_s = if answers_first { 100 } else { 5 };
        assert_eq!(start.elapsed().as_secs(), expected_s);
    }
}

/// A storage that damages what it is given does so for a quarter of an hour, too.
#[tokio::test(start_paused = true)]
async fn damage_is_tried_again_a_few_times_only() {
    let policies = RetryPolicies {
        damaged_tries: 3,
        ..seconds(1000).into()
    };
    let wrong = Fault::Fail(ErrorKind::Mismatch, Retry::Later);
    let (storage, faulty) = retried(policies, move |_| wrong);
    let error = storage.read(&path(), None, Class::Data).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Mismatch);
    assert_eq!(faulty.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_asks_for_less_gets_longer_pauses() {
    let slow = Fault::Fail(ErrorKind::Throttled, Retry::Later);
    let (storage, _) = retried(seconds(100).into(), move |asked| match asked.number {
        0 | 1 => slow,
        _ => Fault::None,
    });
    let start = Instant::now();
    storage.list(None).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(8));
}
