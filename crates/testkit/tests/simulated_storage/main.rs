//! The simulated storage keeps every promise when it is told to, and breaks them the same way each time when not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use strongroom_repository::clock::Clock;
use strongroom_storage::{Class, ErrorKind, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::FakeClock;
use strongroom_testkit::simulated_storage::{PER, Traced};
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;
use strongroom_testkit::{Faults, SimulatedStorage, SkewedClock};

async fn perfect() -> Fixture {
    let storage = SimulatedStorage::new(MemoryStorage::missing(), FakeClock::new(), 1);
    Fixture::new(Arc::new(storage.client("one", &Faults::none())), ())
}

storage_suite!(without_faults, perfect);

fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

fn fresh(seed: u64) -> SimulatedStorage {
    SimulatedStorage::new(MemoryStorage::new(), FakeClock::new(), seed)
}

/// Always this fault.
fn always(change: impl FnOnce(&mut Faults)) -> Faults {
    let mut faults = Faults::none();
    change(&mut faults);
    faults
}

async fn write(storage: &dyn Storage, name: &str, data: &'static [u8]) -> Option<ErrorKind> {
    let data = Bytes::from_static(data);
    let written = storage
        .write(&path(name), data, WriteMode::Replace, Class::Data)
        .await;
    written.err().map(|error| error.kind)
}

async fn stored(storage: &SimulatedStorage, name: &str) -> Option<Bytes> {
    let truth = storage.truth();
    truth.read(&path(name), None, Class::Data).await.ok()
}

/// Some calls of two clients, with names that the salt makes different, as the engine's are from run to run.
async fn busy(seed: u64, salt: u64, both_at_once: bool) -> (Vec<Traced>, Vec<Traced>) {
    let storage = fresh(seed);
    let calls = |name: &'static str| {
        let client = storage.client(name, &Faults::lying());
        async move {
            for number in 0..300_u64 {
                let file = format!("data/{salt}-{name}-{}", number % 40);
                let _ = write(&client, &file, b"some bytes").await;
                let _ = client.read(&path(&file), None, Class::Data).await;
                let _ = client.list(Some(&path("data"))).await;
                if number % 3 == 0 {
                    let _ = client.delete(&path(&file)).await;
                }
            }
        }
    };
    if both_at_once {
        tokio::join!(calls("one"), calls("two"));
    } else {
        calls("two").await;
        calls("one").await;
    }
    let trace = storage.take_trace();
    trace.into_iter().partition(|traced| traced.client == "one")
}

/// Otherwise a failure that was found once could never be looked at.
#[tokio::test]
async fn the_same_calls_meet_the_same_faults_whatever_happens_beside() {
    for seed in 0..20 {
        let first = busy(seed, 1, false).await;
        assert_eq!(
            first,
            busy(seed, 2, false).await,
            "seed {seed}, other names"
        );
        assert_eq!(first, busy(seed, 1, true).await, "seed {seed}, other order");
    }
    assert_ne!(busy(1, 1, false).await, busy(2, 1, false).await);
}

/// A fault that never comes makes every test that relies on it a test of nothing.
#[tokio::test]
async fn every_fault_comes() {
    let mut met = BTreeSet::new();
    for seed in 0..200 {
        let (one, two) = busy(seed, 1, false).await;
        let words = [
            "Fail(",
            "FailAfter(TimedOut",
            "Torn",
            "Truncate",
            "Lose",
            "Duplicate",
        ];
        let words = words
            .iter()
            .chain(&["Flip", "Stale", "Partial", "Twice", "rots", "sleeps"]);
        let kinds = [
            "Unauthenticated",
            "NoSpace",
            "Throttled",
            "Unreachable, Never",
        ];
        for word in words.chain(&kinds) {
            if one
                .iter()
                .chain(&two)
                .any(|traced| traced.call.contains(word))
            {
                met.insert(*word);
            }
        }
    }
    assert_eq!(met.len(), 16, "{met:?}");
}

#[tokio::test]
async fn a_write_can_be_torn_short_lost_or_done_although_it_failed() {
    type Case = (
        fn(&mut Faults),
        Option<ErrorKind>,
        fn(Option<&[u8]>) -> bool,
    );
    let cases: [Case; 6] = [
        (
            |f| f.torn = PER,
            Some(ErrorKind::Io),
            |s| s.is_some_and(|s| s.len() < 10),
        ),
        (|f| f.short = PER, None, |s| s.is_some_and(|s| s.len() < 10)),
        (|f| f.lost = PER, None, |s| s.is_none()),
        (
            |f| f.timed_out = PER,
            Some(ErrorKind::TimedOut),
            |s| s == Some(b"some bytes"),
        ),
        (
            |f| f.no_space = PER,
            Some(ErrorKind::NoSpace),
            |s| s.is_none(),
        ),
        (
            |f| f.flipped_write = PER,
            None,
            |s| s.is_some_and(|s| s.len() == 10 && s != b"some bytes"),
        ),
    ];
    for (number, (change, expected, is_right)) in cases.into_iter().enumerate() {
        let storage = fresh(7);
        let client = storage.client("one", &always(change));
        let kind = write(&client, "data/file", b"some bytes").await;
        assert_eq!(kind, expected, "case {number}");
        let found = stored(&storage, "data/file").await;
        assert!(is_right(found.as_deref()), "case {number}: {found:?}");
    }
}

#[tokio::test]
async fn a_bit_flips_on_the_way_or_for_good() {
    let storage = fresh(7);
    let honest = storage.client("honest", &Faults::none());
    write(&honest, "data/file", b"some bytes").await;
    let read = async |faults: &Faults| {
        let client = storage.client("reader", faults);
        client.read(&path("data/file"), None, Class::Data).await
    };
    let flipped = read(&always(|f| f.flipped_read = PER)).await.unwrap();
    assert_ne!(flipped, &b"some bytes"[..]);
    assert_eq!(read(&Faults::none()).await.unwrap(), &b"some bytes"[..]);
    let rotten = read(&always(|f| f.rotten = PER)).await.unwrap();
    assert_ne!(rotten, &b"some bytes"[..]);
    assert_eq!(read(&Faults::none()).await.unwrap(), rotten);
}

#[tokio::test]
async fn listings_are_stale_partial_or_name_a_file_twice() {
    let storage = fresh(7);
    let honest = storage.client("honest", &Faults::none());
    for name in ["data/1", "data/2", "data/3", "data/4", "data/5"] {
        write(&honest, name, b"some bytes").await;
    }
    let count = async |faults: Faults| {
        let client = storage.client("reader", &faults);
        client.list(Some(&path("data"))).await.unwrap().len()
    };
    assert_eq!(count(Faults::none()).await, 5);
    assert!(count(always(|f| f.stale_list = PER)).await < 5);
    assert!(count(always(|f| f.partial_list = PER)).await < 5);
    assert!(count(always(|f| f.list_twice = PER)).await > 5);
    for name in ["data/1", "data/2", "data/3", "data/4", "data/5"] {
        honest.delete(&path(name)).await.unwrap();
    }
    assert!(count(always(|f| f.stale_list = PER)).await > 0);
}

#[tokio::test]
async fn what_was_killed_or_signed_out_does_nothing_more() {
    let faults = [
        always(|f| f.crash = PER),
        always(|f| f.signed_out = PER),
        Faults::none(),
    ];
    for (number, faults) in faults.iter().enumerate() {
        let storage = fresh(number as u64);
        let client = storage.client("one", faults);
        if number == 2 {
            client.kill();
        }
        write(&client, "data/first", b"some bytes").await;
        assert!(client.is_over());
        assert!(write(&client, "data/second", b"").await.is_some());
        assert!(stored(&storage, "data/second").await.is_none());
        let next = storage.client("two", &Faults::none());
        assert_eq!(write(&next, "data/second", b"").await, None);
    }
}

#[tokio::test]
async fn calls_take_time_and_some_take_hours_and_clocks_are_wrong() {
    let storage = fresh(7);
    let behind = SkewedClock::new(storage.clock(), SignedDuration::from_hours(-24));
    let start = (storage.clock().now(), behind.now());
    let client = storage.client("one", &always(|f| f.sleep = PER));
    write(&client, "data/file", b"").await;
    let passed = storage.clock().now().duration_since(start.0);
    assert!(passed > SignedDuration::from_hours(1), "{passed}");
    assert_eq!(behind.now().duration_since(start.1), passed);
    assert_eq!(
        start.0.duration_since(start.1),
        SignedDuration::from_hours(24)
    );
    behind.jump(SignedDuration::ZERO);
    assert_eq!(behind.now(), storage.clock().now());
    storage.clock().pass(Duration::from_secs(1));
    assert_eq!(behind.now(), storage.clock().now());
}
