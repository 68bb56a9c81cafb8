//! One destination fails: the others do not, and the report says which and why.

use std::sync::Arc;

use strongroom_repository::clock::SystemClock;
use strongroom_repository::lock::{Access, LockOptions};
use strongroom_testkit::engine::FakeHost;
use strongroom_testkit::{Random, SmallDisk};
use tokio_util::sync::CancellationToken;

use crate::{assert_outcomes, backup, backup_with, make, of, places, restic};

#[test]
fn one_that_is_not_there_makes_the_run_partial() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "c", "try-me");
    let ran = backup(&vault, &["a", "b", "c"]).expect_code(3);
    assert_outcomes(&ran, &["success", "failed", "success"]);
    assert_eq!(of(&ran, 1)["errors"][0]["code"], 10);
    assert_eq!(of(&ran, 1)["errors"][0]["name"], "no-repository");
    assert!(ran.stderr_text().contains("1 of 3 repositories"), "{ran}");
    for name in ["a", "c"] {
        assert_eq!(restic(&vault, name).snapshot_ids().len(), 1);
        restic(&vault, name).check_read_data();
    }
    assert!(!vault.path("b").exists());
}

#[test]
fn one_that_cannot_be_reached_makes_the_run_partial() {
    let vault = places();
    make(&vault, "a", "try-me");
    // Nobody listens on the port of a socket that was closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let address = format!("rest:http://127.0.0.1:{port}/r/");
    let rest = ["-o", "retry.first-contact=0s", "source"];
    let ran = backup_with(&vault, &[&address, "a"], &rest).expect_code(3);
    assert_outcomes(&ran, &["failed", "success"]);
    assert_eq!(of(&ran, 0)["errors"][0]["code"], 23);
    assert_eq!(of(&ran, 1)["primary"], true);
}

#[test]
fn where_none_takes_it_the_error_of_the_first_ends_it() {
    let vault = places();
    make(&vault, "b", "another");
    let ran = backup(&vault, &["a", "b"]).expect_code(10);
    assert_outcomes(&ran, &["failed", "failed"]);
    let ran = backup(&vault, &["b", "a"]).expect_code(12);
    assert_eq!(of(&ran, 0)["errors"][0]["code"], 12);
    assert_eq!(of(&ran, 1)["errors"][0]["code"], 10);
}

#[test]
fn each_may_have_a_password_of_its_own_and_a_wrong_one_costs_that_one_alone() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "another");
    std::fs::write(vault.path("p-a"), "try-me").unwrap();
    std::fs::write(vault.path("p-b"), "another").unwrap();
    let both = ["-p", "p-a", "-p", "p-b", "source"];
    let ran = backup_with(&vault, &["a", "b"], &both).ok();
    assert_outcomes(&ran, &["success", "success"]);
    let ran = backup_with(&vault, &["a", "b"], &["-p", "p-a", "source"]).expect_code(3);
    assert_outcomes(&ran, &["success", "failed"]);
    assert_eq!(of(&ran, 1)["errors"][0]["code"], 12);
    let ran = backup_with(&vault, &["a", "b"], &both).ok();
    assert_eq!(of(&ran, 1)["caught_up"], 1);
}

/// A prune that runs on one of them holds up no backup into the others.
#[test]
fn one_that_is_locked_is_passed_over_whether_it_is_the_first_or_not() {
    let vault = places();
    make(&vault, "a", "try-me");
    let locked = make(&vault, "b", "try-me");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = LockOptions {
        host: Arc::new(FakeHost::default()),
        clock: Arc::new(SystemClock),
        retry_for: std::time::Duration::ZERO,
        disabled: false,
    };
    let cancel = CancellationToken::new();
    let locking = locked.lock(Access::Exclusive, &options, &cancel);
    let lock = runtime.block_on(locking).unwrap();
    let ran = backup(&vault, &["a", "b"]).expect_code(3);
    assert_outcomes(&ran, &["success", "failed"]);
    assert_eq!(of(&ran, 1)["errors"][0]["code"], 11);
    let ran = backup(&vault, &["b", "a"]).expect_code(3);
    assert_outcomes(&ran, &["failed", "success"]);
    assert_eq!(of(&ran, 1)["primary"], true);
    assert_eq!(restic(&vault, "a").snapshot_ids().len(), 2);
    runtime.block_on(lock.release()).unwrap();
    let ran = backup(&vault, &["b", "a"]).ok();
    assert_eq!(of(&ran, 0)["caught_up"], 2, "{ran}");
}

/// The disk of one is full in the middle. Files are read again for the next; what came from a stream is gone.
#[test]
fn one_that_is_full_stops_none_of_the_others() {
    let vault = places();
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    make(&vault, "a", "try-me");
    let small = disk.path().join("small");
    let small = small.to_str().unwrap();
    make(&vault, small, "try-me");
    let content = Random::new(9).bytes(12 << 20);
    std::fs::write(vault.path("source/large"), &content).unwrap();
    let ran = backup(&vault, &["a", small]).expect_code(3);
    assert_outcomes(&ran, &["success", "failed"]);
    assert_eq!(of(&ran, 1)["errors"][0]["code"], 25);

    let ran = backup(&vault, &[small, "a"]).expect_code(3);
    assert_outcomes(&ran, &["failed", "success"]);
    assert!(ran.stderr_text().contains("read again"), "{ran}");
    restic(&vault, "a").check_read_data();
    assert_eq!(restic(&vault, "a").snapshot_ids().len(), 2);

    let words = ["-r", small, "-r", "a", "backup", "--stdin", "--json"];
    let ran = vault
        .program
        .run_with_stdin(words, &content)
        .expect_code(25);
    assert_outcomes(&ran, &["failed", "failed"]);
    assert!(ran.stderr_text().contains("cannot be had again"), "{ran}");
    assert_eq!(restic(&vault, "a").snapshot_ids().len(), 2);
}

/// A source that cannot be read in full is told as ever, and the snapshot is everywhere.
#[test]
fn what_is_missing_of_the_source_is_told_beside_the_destinations() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    let ran = backup_with(&vault, &["a", "b"], &["source", "missing"]).expect_code(3);
    assert_outcomes(&ran, &["success", "success"]);
    assert!(ran.stderr_text().contains("could not be read"), "{ran}");
    backup_with(&vault, &["a", "b"], &["missing"]).expect_code(27);
}
