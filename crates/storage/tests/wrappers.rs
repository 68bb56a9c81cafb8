//! What the small wrappers promise beyond passing calls on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Class, ErrorKind, LimitStorage, MemoryStorage, Operation, ReadOnlyStorage, Retry,
    RetryPolicy, RetryStorage, Storage, StoragePath, TimeLimits, TimeoutStorage, WriteMode,
};
use strongroom_testkit::{Asked, Fault, FaultyStorage, RecordingStorage};
use tokio::time::Instant;

const LOST: Fault = Fault::Fail(ErrorKind::Unreachable, Retry::Later);

fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

fn any(_: &Asked) -> bool {
    true
}

async fn memory_with(name: &str, data: &'static str) -> Arc<MemoryStorage> {
    let memory = MemoryStorage::new();
    let data = Bytes::from(data);
    let write = memory
        .write(&path(name), data, WriteMode::New, Class::Data)
        .await;
    write.unwrap();
    Arc::new(memory)
}

fn policy(first_s: u64, longest_s: u64, total_s: u64) -> RetryPolicy {
    RetryPolicy {
        first_pause: Duration::from_secs(first_s),
        longest_pause: Duration::from_secs(longest_s),
        total: Duration::from_secs(total_s),
    }
}

/// A backup of hours must not die of a router that restarts.
#[tokio::test(start_paused = true)]
async fn retry_rides_out_an_outage_with_growing_pauses() {
    let memory = memory_with("a", "content").await;
    let faulty = FaultyStorage::new(
        memory,
        |asked| if asked.number < 5 { LOST } else { Fault::None },
    );
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let seen = pauses.clone();
    let storage = RetryStorage::new(Arc::new(faulty), policy(1, 6, 100))
        .with_jitter(|bound| bound)
        .observed(move |error, pause| {
            assert_eq!(error.kind, ErrorKind::Unreachable);
            seen.lock().unwrap().push(pause.as_secs());
        });
    let start = Instant::now();
    let read = storage.read(&path("a"), None, Class::Data).await;
    assert_eq!(read.unwrap(), "content");
    assert_eq!(*pauses.lock().unwrap(), [1, 2, 4, 6, 6]);
    assert_eq!(start.elapsed(), Duration::from_secs(19));
}

/// A storage that is gone for good must end in an error, not in a backup that hangs for ever.
#[tokio::test(start_paused = true)]
async fn retry_gives_up_when_its_time_is_over() {
    let memory = memory_with("a", "content").await;
    let faulty = FaultyStorage::every(memory, any, LOST);
    let storage = RetryStorage::new(Arc::new(faulty.clone()), policy(1, 6, 10)).with_jitter(|b| b);
    let start = Instant::now();
    let error = storage.stat(&path("a")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Unreachable, Retry::Later)
    );
    assert!(error.message.contains("4 tries"), "{error}");
    assert_eq!(faulty.asked(), 4);
    assert_eq!(
        start.elapsed(),
        Duration::from_secs(7),
        "pauses of 1, 2 and 4 s"
    );
}

/// Ten thousand clients that all come back after exactly a second take the server down again.
#[tokio::test(start_paused = true)]
async fn retry_pauses_are_random_and_within_their_bound() {
    let faulty = FaultyStorage::every(memory_with("a", "").await, any, LOST);
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let seen = pauses.clone();
    let storage = RetryStorage::new(Arc::new(faulty), policy(10, 10, 1000))
        .observed(move |_, pause| seen.lock().unwrap().push(pause));
    storage.stat(&path("a")).await.unwrap_err();
    let pauses = pauses.lock().unwrap();
    assert!(
        pauses.len() > 90,
        "1000 s hold at least 100 pauses of at most 10 s, less the last"
    );
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(10)));
    assert!(pauses.iter().any(|pause| *pause != pauses[0]));
}

/// A wrong password tried for a quarter of an hour locks the account.
#[tokio::test(start_paused = true)]
async fn retry_leaves_final_errors_alone() {
    let fault = Fault::Fail(ErrorKind::Unauthenticated, Retry::Never);
    let faulty = FaultyStorage::every(memory_with("a", "").await, any, fault);
    let storage = RetryStorage::new(Arc::new(faulty.clone()), RetryPolicy::default());
    let error = storage
        .read(&path("a"), None, Class::Data)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert_eq!(faulty.asked(), 1);
}

/// An upload that arrived and whose answer was lost must not fail the backup; somebody else's file must.
#[tokio::test(start_paused = true)]
async fn retry_knows_its_own_write_again() {
    for (stored, expected) in [
        (None, Ok(())),
        (Some("theirs"), Err(ErrorKind::AlreadyExists)),
    ] {
        let memory = MemoryStorage::new();
        let lost_after = Fault::FailAfter(ErrorKind::TimedOut, Retry::Later);
        let fault = if stored.is_some() { LOST } else { lost_after };
        if let Some(data) = stored {
            let write = memory
                .write(&path("a"), Bytes::from(data), WriteMode::New, Class::Data)
                .await;
            write.unwrap();
        }
        let faulty = FaultyStorage::nth(Arc::new(memory.clone()), 0, any, fault);
        let storage = RetryStorage::new(Arc::new(faulty), RetryPolicy::default());
        let data = Bytes::from("mine");
        let result = storage
            .write(&path("a"), data, WriteMode::New, Class::Data)
            .await;
        assert_eq!(result.map_err(|error| error.kind), expected);
        let kept = memory.read(&path("a"), None, Class::Data).await.unwrap();
        assert_eq!(kept, stored.unwrap_or("mine"));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_takes_a_file_that_its_first_try_deleted_for_deleted() {
    let memory = memory_with("a", "").await;
    let lost_after = Fault::FailAfter(ErrorKind::TimedOut, Retry::Later);
    let faulty = FaultyStorage::nth(memory, 0, any, lost_after);
    let storage = RetryStorage::new(Arc::new(faulty), RetryPolicy::default());
    storage.delete(&path("a")).await.unwrap();
    let error = storage.delete(&path("a")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// A server that accepts and never answers must not hold a run for ever.
#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_times_out_by_its_kind() {
    let hanging = FaultyStorage::every(memory_with("a", "").await, any, Fault::Hang);
    let limits = TimeLimits {
        short: Duration::from_secs(1),
        list: Duration::from_secs(50),
        transfer: Duration::from_secs(10),
        slowest_bytes_per_s: 1000,
    };
    let storage = TimeoutStorage::new(Arc::new(hanging), limits);
    let a = path("a");
    let range = |length| Some(ByteRange { offset: 0, length });
    let data = Bytes::from(vec![0; 3000]);
    let whole_s = 10 + TimeLimits::WHOLE_FILE_BYTES / 1000;
    let start = Instant::now();
    let mut before_s = 0;
    for (error, seconds, operation) in [
        (storage.create().await.unwrap_err(), 1, Operation::Create),
        (storage.stat(&a).await.unwrap_err(), 1, Operation::Stat),
        (storage.delete(&a).await.unwrap_err(), 1, Operation::Delete),
        (storage.list(None).await.unwrap_err(), 50, Operation::List),
        (
            storage.read(&a, range(0), Class::Data).await.unwrap_err(),
            10,
            Operation::Read,
        ),
        (
            storage
                .read(&a, range(5000), Class::Data)
                .await
                .unwrap_err(),
            15,
            Operation::Read,
        ),
        (
            storage.read(&a, None, Class::Data).await.unwrap_err(),
            whole_s,
            Operation::Read,
        ),
        (
            storage
                .write(&a, data, WriteMode::New, Class::Data)
                .await
                .unwrap_err(),
            13,
            Operation::Write,
        ),
    ] {
        assert_eq!(
            (error.kind, error.retry),
            (ErrorKind::TimedOut, Retry::Later)
        );
        assert_eq!(error.operation, operation);
        before_s += seconds;
    }
    assert_eq!(start.elapsed().as_secs(), before_s);
}

/// A server that allows two connections bans who opens three.
#[tokio::test]
async fn no_more_calls_than_the_limit_are_made_at_once() {
    let hanging = FaultyStorage::every(memory_with("a", "").await, any, Fault::Hang);
    let limit = NonZeroUsize::new(2).unwrap();
    let storage = LimitStorage::new(Arc::new(hanging.clone()), limit);
    assert_eq!(storage.capabilities().connections, 2);
    let (a, mut context) = (path("a"), Context::from_waker(Waker::noop()));
    let mut first = Box::pin(storage.stat(&a));
    let mut second = Box::pin(storage.list(None));
    let mut third = Box::pin(storage.read(&a, None, Class::Data));
    let mut fourth = Box::pin(storage.delete(&a));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert!(third.as_mut().poll(&mut context).is_pending());
    assert!(fourth.as_mut().poll(&mut context).is_pending());
    assert_eq!(hanging.asked(), 2);
    drop(third);
    drop(first);
    assert!(fourth.as_mut().poll(&mut context).is_pending());
    assert_eq!(
        hanging.asked(),
        3,
        "the dropped call has left the queue, the next got its turn"
    );
    drop((second, fourth));
    let mut last = pin!(storage.create());
    assert!(matches!(last.as_mut().poll(&mut context), Poll::Pending));
    assert_eq!(hanging.asked(), 4);
}

/// A trial run that changes something is none.
#[tokio::test]
async fn a_read_only_storage_passes_no_change_on() {
    let recording = RecordingStorage::new(memory_with("data/a", "kept").await);
    let storage = ReadOnlyStorage::new(Arc::new(recording.clone())).except(path("locks"));
    let refused = |result: strongroom_storage::Result<()>| {
        assert_eq!(result.unwrap_err().kind, ErrorKind::ReadOnly);
    };
    refused(storage.create().await);
    for name in ["data/a", "data/b", "locks", "locks2/a", "index/locks/a"] {
        for mode in [WriteMode::New, WriteMode::Replace] {
            let write = storage
                .write(&path(name), Bytes::new(), mode, Class::Data)
                .await;
            refused(write);
        }
        refused(storage.delete(&path(name)).await);
    }
    assert!(recording.calls().is_empty());
    assert_eq!(
        storage
            .read(&path("data/a"), None, Class::Data)
            .await
            .unwrap(),
        "kept"
    );
    assert_eq!(storage.stat(&path("data/a")).await.unwrap().size_bytes, 4);
    assert_eq!(storage.list(None).await.unwrap().len(), 1);

    let lock = path("locks/a");
    let write = storage
        .write(&lock, Bytes::new(), WriteMode::New, Class::Metadata)
        .await;
    write.unwrap();
    storage.delete(&lock).await.unwrap();
}
