//! A destination that was away gets what it has missed.

use std::fs;

use crate::{assert_outcomes, backup, make, of, places, restic, times};

#[test]
fn the_next_run_brings_what_was_missed() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    backup(&vault, &["a", "b"]).ok();
    fs::rename(vault.path("b"), vault.path("away")).unwrap();
    for content in ["second", "third"] {
        fs::write(vault.path("source/one.txt"), content).unwrap();
        backup(&vault, &["a", "b"]).expect_code(3);
    }
    fs::rename(vault.path("away"), vault.path("b")).unwrap();
    let ran = backup(&vault, &["a", "b"]).ok();
    assert_eq!(of(&ran, 1)["caught_up"], 2, "{ran}");
    assert_eq!(times(&vault, "b"), times(&vault, "a"));
    assert_eq!(times(&vault, "b").len(), 4);
    restic(&vault, "b").check_read_data();
    let again = backup(&vault, &["a", "b"]).ok();
    assert_eq!(of(&again, 1)["caught_up"], 0, "{again}");
}

/// The first was away, and the second took its place: when it is back it gets what it has missed, and is the first again.
#[test]
fn the_first_is_caught_up_from_the_one_that_took_its_place() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    make(&vault, "c", "try-me");
    backup(&vault, &["a", "b", "c"]).ok();
    fs::rename(vault.path("a"), vault.path("away")).unwrap();
    fs::write(vault.path("source/one.txt"), "second").unwrap();
    let without = backup(&vault, &["a", "b", "c"]).expect_code(3);
    assert_outcomes(&without, &["failed", "success", "success"]);
    assert_eq!(of(&without, 1)["primary"], true);
    fs::rename(vault.path("away"), vault.path("a")).unwrap();
    fs::write(vault.path("source/one.txt"), "third").unwrap();
    let ran = backup(&vault, &["a", "b", "c"]).ok();
    assert_eq!(of(&ran, 0)["primary"], true);
    assert_eq!(of(&ran, 0)["caught_up"], 1, "{ran}");
    for name in ["a", "b", "c"] {
        assert_eq!(times(&vault, name).len(), 3, "{name}");
        assert_eq!(times(&vault, name), times(&vault, "a"));
        restic(&vault, name).check_read_data();
    }
    let dumped = vault.run(&["-r", "a", "dump", "latest", "/source/one.txt"]);
    assert_eq!(dumped.ok().stdout_text(), "third");
}

/// What a policy has removed on one of them must not come back with every run.
#[test]
fn what_was_forgotten_there_stays_forgotten() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    for _ in 0..3 {
        backup(&vault, &["a", "b"]).ok();
    }
    let forget = ["-r", "b", "forget", "--keep-last", "1", "--yes"];
    vault.run(&forget).ok();
    backup(&vault, &["a", "b"]).ok();
    assert_eq!(times(&vault, "a").len(), 4);
    assert_eq!(times(&vault, "b").len(), 2);
}

/// A destination that is added later has all of the history; and `copy` does the same by hand.
#[test]
fn a_new_one_gets_everything_and_copy_does_too() {
    let vault = places();
    make(&vault, "a", "try-me");
    backup(&vault, &["a"]).ok();
    backup(&vault, &["a"]).ok();
    make(&vault, "b", "try-me");
    fs::write(vault.path("secret"), "try-me").unwrap();
    vault
        .run(&[
            "-r",
            "b",
            "copy",
            "--from-repo",
            "a",
            "--from-password-file",
            "secret",
        ])
        .ok();
    make(&vault, "c", "try-me");
    let ran = backup(&vault, &["a", "b", "c"]).ok();
    assert_eq!(of(&ran, 1)["caught_up"], 0, "{ran}");
    assert_eq!(of(&ran, 2)["caught_up"], 2, "{ran}");
    assert_eq!(times(&vault, "c").len(), 3);
}
