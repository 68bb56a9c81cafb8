//! If locks failed, a prune could delete what a backup beside it relies on: snapshots that miss data, found at restore.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fences;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use strongroom_repository::clock::Clock;
use strongroom_repository::lock::{Access, Lock, LockOptions, REFRESH_AFTER};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{ErrorKind as StorageKind, MemoryStorage, Operation, Retry};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::{Asked, Fault, FaultyStorage, RecordingStorage, Restic};
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

async fn repository() -> (Repository, Arc<FakeClock>) {
    (
        new_repository(Arc::new(MemoryStorage::new())).await,
        FakeClock::new(),
    )
}

async fn try_lock(
    repository: &Repository,
    access: Access,
    options: &LockOptions,
) -> Result<Lock, ErrorKind> {
    repository
        .lock(access, options, &CancellationToken::new())
        .await
        .map_err(|error| error.kind())
}

/// The lock that a process of a machine takes without being refused.
async fn hold(
    repository: &Repository,
    access: Access,
    machine: &str,
    pid: u32,
    clock: &Arc<FakeClock>,
) -> Lock {
    let options = FakeHost::new(machine, pid).lock_options(clock);
    try_lock(repository, access, &options).await.unwrap()
}

async fn lock_files(repository: &Repository) -> usize {
    repository.list(FileKind::Lock).await.unwrap().len()
}

#[tokio::test]
async fn what_excludes_what() {
    use Access::{Append, Exclusive, Read};
    for (first, second, allowed) in [
        (Append, Append, true),
        (Append, Read, true),
        (Append, Exclusive, false),
        (Exclusive, Append, false),
        (Exclusive, Exclusive, false),
        (Read, Exclusive, false),
        (Read, Append, true),
        // Readers never wait: they go on without a lock.
        (Exclusive, Read, true),
    ] {
        let (repository, clock) = repository().await;
        let (one, other) = (
            FakeHost::new("one", 1).lock_options(&clock),
            FakeHost::new("other", 2).lock_options(&clock),
        );
        let held = try_lock(&repository, first, &one).await.unwrap();
        let result = try_lock(&repository, second, &other).await;
        assert_eq!(result.is_ok(), allowed, "{second:?} beside {first:?}");
        match result {
            Ok(lock) => lock.release().await.unwrap(),
            Err(kind) => assert_eq!(kind, ErrorKind::Locked),
        }
        held.release().await.unwrap();
        assert_eq!(
            lock_files(&repository).await,
            0,
            "{second:?} beside {first:?} left a lock"
        );
    }
}

#[tokio::test]
async fn a_conflict_names_the_holder() {
    let (repository, clock) = repository().await;
    let _held = hold(&repository, Access::Append, "db-host", 4711, &clock).await;
    clock.pass(2 * HOUR);
    let options = FakeHost::new("other", 1).lock_options(&clock);
    let error = repository
        .lock(Access::Exclusive, &options, &CancellationToken::new())
        .await
        .unwrap_err()
        .to_string();
    for part in ["4711", "db-host", "tester", "120 min", "stale"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

/// A killed prune must not block the repository until somebody comes and unlocks it; but a lock of another machine may
/// be alive however old it is.
#[tokio::test]
async fn the_lock_of_a_dead_process_is_removed_and_only_that() {
    let (repository, clock) = repository().await;
    let host = FakeHost::new("one", 1);
    let next = host.process(2);
    let elsewhere = FakeHost::new("elsewhere", 1);
    drop(
        try_lock(
            &repository,
            Access::Exclusive,
            &host.process(1).lock_options(&clock),
        )
        .await
        .unwrap(),
    );
    let options = next.lock_options(&clock);
    assert_eq!(
        try_lock(&repository, Access::Append, &options)
            .await
            .unwrap_err(),
        ErrorKind::Locked
    );
    host.die();
    clock.pass(10 * HOUR);
    let elsewhere = elsewhere.lock_options(&clock);
    assert_eq!(
        try_lock(&repository, Access::Append, &elsewhere)
            .await
            .unwrap_err(),
        ErrorKind::Locked
    );
    let lock = try_lock(&repository, Access::Exclusive, &options)
        .await
        .unwrap();
    assert!(lock.met_dead());
    lock.release().await.unwrap();
    assert_eq!(lock_files(&repository).await, 0);
}

/// A laptop sleeps during a backup; meanwhile its lock is removed as stale and a prune runs. When it wakes up it must
/// not publish a snapshot that refers to what the prune deleted.
#[tokio::test(start_paused = true)]
async fn t06_a_process_that_slept_notices_before_it_publishes() {
    let (repository, clock) = repository().await;
    let sleeper = hold(&repository, Access::Append, "laptop", 1, &clock).await;
    sleeper.verify().await.unwrap();
    clock.pass(9 * HOUR);
    let server = FakeHost::new("server", 2).lock_options(&clock);
    assert_eq!(
        repository
            .unlock(&server, false)
            .await
            .unwrap()
            .removed
            .len(),
        1
    );
    let prune = try_lock(&repository, Access::Exclusive, &server)
        .await
        .unwrap();
    assert_eq!(
        sleeper.verify().await.unwrap_err().kind(),
        ErrorKind::LockLost
    );
    prune.release().await.unwrap();
    assert_eq!(
        sleeper.verify().await.unwrap_err().kind(),
        ErrorKind::LockLost,
        "the prune may be over, its harm is done"
    );
}

/// The lock stood all the time, so nobody else began anything: work may go on.
#[tokio::test(start_paused = true)]
async fn t06_a_process_that_slept_goes_on_if_nobody_used_the_time() {
    let (repository, clock) = repository().await;
    let sleeper = hold(&repository, Access::Append, "laptop", 1, &clock).await;
    clock.pass(9 * HOUR);
    sleeper.verify().await.unwrap();
    let other = FakeHost::new("server", 2).lock_options(&clock);
    assert!(
        !repository.find_locks(&other).await.unwrap()[0].is_stale,
        "it is written anew on waking up"
    );
    sleeper.release().await.unwrap();
    assert_eq!(lock_files(&repository).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_refreshed_while_its_process_lives() {
    let (repository, clock) = repository().await;
    let lock = hold(&repository, Access::Append, "one", 1, &clock).await;
    let before = repository.list(FileKind::Lock).await.unwrap();
    clock.pass(REFRESH_AFTER);
    // Time is paused: this returns as soon as the refresher has nothing left to do before its next pause.
    tokio::time::sleep(REFRESH_AFTER + Duration::from_secs(1)).await;
    while lock_files(&repository).await != 1
        || repository.list(FileKind::Lock).await.unwrap() == before
    {
        tokio::task::yield_now().await;
    }
    lock.verify().await.unwrap();
    lock.release().await.unwrap();
    assert_eq!(lock_files(&repository).await, 0);
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_it_was_told() {
    let storage = Arc::new(RecordingStorage::new(Arc::new(MemoryStorage::new())));
    let repository = new_repository(Arc::<RecordingStorage>::clone(&storage)).await;
    let clock = FakeClock::new();
    let held = hold(&repository, Access::Exclusive, "one", 1, &clock).await;
    let mut options = FakeHost::new("other", 1).lock_options(&clock);
    options.retry_for = Duration::from_secs(90);
    storage.take();
    assert_eq!(
        try_lock(&repository, Access::Append, &options)
            .await
            .unwrap_err(),
        ErrorKind::Locked
    );
    // At 0, 5, 15, 35, 75 and 90 seconds.
    assert_eq!(storage.count(Operation::List, "locks"), 6);
    let (lock, ()) = tokio::join!(try_lock(&repository, Access::Append, &options), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        held.release().await.unwrap();
    });
    lock.unwrap().release().await.unwrap();
    let cancel = CancellationToken::new();
    let _held = hold(&repository, Access::Exclusive, "one", 1, &clock).await;
    cancel.cancel();
    let error = repository
        .lock(Access::Append, &options, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

/// T-07: a program that does not honour the other's locks destroys its data.
#[tokio::test]
async fn t07_restic_honours_our_locks_and_we_honour_its() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("repository");
    let repository = new_repository(Arc::new(strongroom_storage::LocalStorage::new(&path))).await;
    let clock = FakeClock::new();
    let restic = Restic::new(&path, PASSWORD);
    let ours = hold(&repository, Access::Append, "one", 1, &clock).await;
    let refused = restic.run(["prune"]).expect_code(11).stderr_text();
    assert!(refused.contains("locked"), "{refused}");
    restic.run(["snapshots"]).ok();
    ours.release().await.unwrap();
    restic.run(["prune"]).ok();
    // restic's own lock, held while it waits for its standard input to end.
    let mut backup = restic
        .command(["backup", "--stdin"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while lock_files(&repository).await == 0 {
        tokio::task::yield_now().await;
    }
    let options = FakeHost::new("one", 1).lock_options(&clock);
    assert_eq!(
        try_lock(&repository, Access::Exclusive, &options)
            .await
            .unwrap_err(),
        ErrorKind::Locked
    );
    try_lock(&repository, Access::Append, &options)
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    backup.stdin.take().unwrap().write_all(b"content").unwrap();
    assert!(backup.wait().unwrap().success());
    try_lock(&repository, Access::Exclusive, &options)
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
}

fn with_fault(
    repository: &Repository,
    operation: Operation,
    kind: StorageKind,
    retry: Retry,
) -> Repository {
    let picks = move |asked: &Asked| asked.is(operation, "locks");
    let inner = Arc::clone(repository.storage());
    let faulty = FaultyStorage::every(inner, picks, Fault::Fail(kind, retry));
    repository.with_storage(Arc::new(faulty))
}

/// A repository that cannot be written can still be read; who wants to write hears that it cannot be done, and who was cut
/// off hears that, instead of reading without a lock.
#[tokio::test]
async fn only_readers_and_only_where_nothing_can_be_written_go_on_without_a_lock() {
    let (repository, clock) = repository().await;
    let options = FakeHost::new("one", 1).lock_options(&clock);
    let held = try_lock(&repository, Access::Read, &options).await.unwrap();
    assert!(held.is_held() && !held.is_exclusive());
    held.release().await.unwrap();
    let cancel = CancellationToken::new();
    for kind in [
        StorageKind::ReadOnly,
        StorageKind::PermissionDenied,
        StorageKind::NoSpace,
        StorageKind::Unreachable,
    ] {
        let faulty = with_fault(&repository, Operation::Write, kind, Retry::Never);
        let reading = faulty.lock(Access::Read, &options, &cancel).await;
        match (kind, reading) {
            (StorageKind::Unreachable, Err(error)) => {
                assert_eq!(error.storage().unwrap().kind, kind);
            }
            (_, Ok(lock)) => assert!(!lock.is_held() && !lock.is_exclusive(), "{kind:?}"),
            (_, Err(error)) => panic!("{kind:?}: {error}"),
        }
        for access in [Access::Append, Access::Exclusive] {
            let error = faulty.lock(access, &options, &cancel).await.unwrap_err();
            assert_eq!(error.storage().unwrap().kind, kind, "{access:?}");
        }
    }
    assert_eq!(lock_files(&repository).await, 0);
}

/// Our lock stands, but somebody who does not honour it has begun what it excludes while this process slept.
#[tokio::test(start_paused = true)]
async fn t06_a_process_that_slept_notices_who_began_beside_its_lock() {
    let (repository, clock) = repository().await;
    let sleeper = hold(&repository, Access::Append, "laptop", 1, &clock).await;
    clock.pass(HOUR);
    let other = strongroom_repository::format::Lock {
        time: strongroom_repository::format::Time::utc(clock.now()),
        exclusive: true,
        hostname: "elsewhere".into(),
        username: "somebody".into(),
        pid: 7,
        uid: 0,
        gid: 0,
        process: String::new(),
    };
    let other = repository.save_file(FileKind::Lock, other.encode());
    let other = other.await.unwrap();
    let error = sleeper.verify().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockLost);
    repository
        .delete_file(FileKind::Lock, &other)
        .await
        .unwrap();
    sleeper.release().await.unwrap();
}

/// That nobody could be asked is no proof that the lock is lost: the caller may try again.
#[tokio::test(start_paused = true)]
async fn t06_a_lock_is_not_lost_because_the_storage_cannot_be_asked() {
    let (repository, clock) = repository().await;
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&is_cut);
    let picks = move |asked: &Asked| {
        asked.is(Operation::Read, "locks") && cut.load(std::sync::atomic::Ordering::Relaxed)
    };
    let fault = Fault::Fail(StorageKind::Unreachable, Retry::Later);
    let faulty = FaultyStorage::every(Arc::clone(repository.storage()), picks, fault);
    let faulty = repository.with_storage(Arc::new(faulty));
    let sleeper = hold(&faulty, Access::Append, "laptop", 1, &clock).await;
    clock.pass(HOUR);
    is_cut.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = sleeper.verify().await.unwrap_err();
    assert_eq!(error.storage().unwrap().kind, StorageKind::Unreachable);
    is_cut.store(false, std::sync::atomic::Ordering::Relaxed);
    sleeper.verify().await.unwrap();
    sleeper.release().await.unwrap();
    assert_eq!(lock_files(&repository).await, 0);
}
