//! Damaged repositories through the program: a clear error with the right code, and never a panic.

#![allow(clippy::unwrap_used)]

mod vault;

use std::path::{Path, PathBuf};

use strongroom_testkit::{Ran, strongroom};
use vault::Vault;

fn first_file(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let first = paths.remove(0);
    match first.is_dir() {
        true => first_file(&first),
        false => first,
    }
}

/// Writes other content under the same name, whatever its mode.
fn replace(path: &Path, content: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}

#[track_caller]
fn clear(ran: Ran, code: i32) {
    let ran = ran.expect_code(code);
    let told = ran.stderr_text();
    assert!(told.contains("error:") && told.contains("hint:"), "{ran}");
    assert!(!told.contains("panicked"), "{ran}");
}

#[test]
fn damage_in_every_place_is_an_error_that_says_what_to_do() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    for (place, command) in [
        ("config", "snapshots"),
        ("keys", "snapshots"),
        ("index", "stats"),
        ("snapshots", "snapshots"),
    ] {
        let place = vault.path("vault").join(place);
        let path = match place.is_dir() {
            true => first_file(&place),
            false => place,
        };
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [&[][..], &whole[..whole.len() / 2], &flipped] {
            replace(&path, damaged);
            clear(vault.run(&[command, "--no-cache"]), 21);
        }
        replace(&path, &whole);
    }
    vault.run(&["check", "--read-data"]).ok();
}

/// Removing on the ground of what can still be read would remove what cannot.
#[test]
fn nothing_is_removed_from_a_damaged_repository() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::write(vault.path("source/more"), "more").unwrap();
    vault.backup();
    let snapshot = first_file(&vault.path("vault/snapshots"));
    replace(&snapshot, b"");
    let packs = vault.restic().list("packs");
    clear(vault.run(&["prune", "--yes", "--no-cache"]), 21);
    assert_eq!(vault.restic().list("packs"), packs);
    // Backups go on: they are needed now more than ever.
    vault.backup();
}

#[test]
fn targets_and_sources_that_cannot_be() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    clear(vault.run(&["restore", "latest", "-t", "source/one.txt"]), 1);
    clear(vault.run(&["-r", "source/one.txt/x", "init"]), 1);
    clear(vault.run(&["-r", "source/one.txt", "snapshots"]), 10);
    clear(vault.run(&["backup", "missing"]), 27);
    clear(vault.run(&["ls", "latest:/missing"]), 1);
    clear(vault.run(&["dump", "latest", "/missing"]), 1);
}

#[test]
fn a_repository_of_version_1_is_served() {
    let vault = Vault::without_repository(strongroom!());
    let old = vault.restic();
    old.init_version(1);
    vault.backup();
    vault.run(&["check", "--read-data"]).ok();
    old.check_read_data();
}

/// Yesterday's state in place of today's, with exit code 0, would be data lost without a word.
#[test]
fn latest_is_not_an_older_one_because_the_newest_cannot_be_read() {
    let vault = Vault::new(strongroom!());
    let older = vault.backup();
    std::fs::write(vault.path("source/new.txt"), "new").unwrap();
    let newest = vault.backup();
    let path = vault.path("vault/snapshots").join(&newest);
    // A cache would still have it.
    replace(&path, b"nothing");
    let refused = vault
        .run(&["restore", "latest", "-t", "out", "--no-cache"])
        .expect_code(21);
    let told = refused.stderr_text();
    assert!(
        told.contains(&newest[..8]) && told.contains(&older[..8]),
        "{refused}"
    );
    assert!(!vault.path("out/source").exists());
    clear(vault.run(&["ls", "latest", "--no-cache"]), 21);
    vault
        .run(&["restore", &older, "-t", "out", "--no-cache"])
        .ok();
}
