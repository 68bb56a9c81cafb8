//! `strongroom storage test`: what it says of real storages, and that it leaves them as they were.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::{Ran, strongroom};
use vault::Vault;

/// Everything below a folder, folders too, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => {
                found.extend(files(&path));
                found.insert(path, Vec::new());
            }
            false => {
                let content = std::fs::read(&path).unwrap();
                found.insert(path, content);
            }
        }
    }
    found
}

fn capability(ran: &Ran, name: &str) -> (Value, Value) {
    let summary = ran.json_message("summary");
    let all = summary["capabilities"].as_array().unwrap();
    let found = all.iter().find(|one| one["name"] == name).unwrap();
    (found["declared"].clone(), found["observed"].clone())
}

fn step(ran: &Ran, name: &str) -> Value {
    let summary = ran.json_message("summary");
    let all = summary["steps"].as_array().unwrap();
    all.iter().find(|one| one["step"] == name).unwrap().clone()
}

/// A test that spoilt a repository, or left its files there, would be worse than none.
#[test]
fn a_folder_with_a_repository_is_good_and_stays_as_it_was() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let before = files(&vault.path("vault"));
    let told = vault
        .run(&["storage", "test", "./vault", "--size", "2M"])
        .ok();
    let text = told.stdout_text();
    for word in [
        "new over existing",
        "two writers",
        "atomic_new",
        "upload",
        "not told",
    ] {
        assert!(text.contains(word), "{word}\n{told}");
    }
    let json = vault
        .run(&["storage", "test", "--json", "--size", "1M"])
        .ok();
    assert_eq!(json.json_message("summary")["outcome"], "success");
    assert_eq!(capability(&json, "atomic_new"), (true.into(), true.into()));
    assert_eq!(step(&json, "upload")["bytes"], 1 << 20);
    assert_eq!(files(&vault.path("vault")), before);
    vault.restic().check_read_data();
}

#[test]
fn a_storage_that_is_not_there_is_told_and_made_only_when_asked() {
    let vault = Vault::without_repository(strongroom!());
    vault.run(&["storage", "test", "./new"]).expect_code(1);
    assert!(!vault.path("new").exists());
    vault.run(&["storage", "test", "./new", "--create"]).ok();
    assert_eq!(std::fs::read_dir(vault.path("new")).unwrap().count(), 0);
    vault
        .run(&["storage", "test", "./new", "--size", "2G"])
        .expect_code(2);
}

#[test]
fn rclones_server_takes_restics_names_alone_and_tells_the_time() {
    let server = RcloneRest::start(&[]);
    let mut vault = Vault::without_repository(strongroom!());
    vault.program = vault.program.repository(server.url("r"));
    vault.run(&["init"]).ok();
    vault.run(&["backup", "source"]).ok();
    let count = || vault.run(&["list", "packs"]).ok().stdout_text();
    let before = count();
    let ran = vault
        .run(&["storage", "test", "--json", "--size", "1M"])
        .ok();
    assert_eq!(
        capability(&ran, "own_folders"),
        (false.into(), false.into())
    );
    assert_eq!(capability(&ran, "atomic_new").0, false);
    let clock = ran.json_message("summary")["clock_ahead_seconds"].clone();
    assert!((-5..=5).contains(&clock.as_i64().unwrap()), "{clock}");
    assert!(!ran.stdout_text().contains(RcloneRest::PASSWORD), "{ran}");
    assert_eq!(count(), before, "something is left");
    vault.run(&["check", "--read-data"]).ok();
}

#[test]
fn our_server_keeps_what_it_declares() {
    let server = OurRest::start(|_| {});
    let vault = Vault::without_repository(strongroom!());
    let address = server.url("r");
    let words = [
        "storage", "test", &address, "--create", "--json", "--size", "1M",
    ];
    let ran = vault.run(&words).ok();
    for name in ["atomic_new", "atomic_replace", "whole_files", "own_folders"] {
        assert_eq!(capability(&ran, name), (true.into(), true.into()), "{name}");
    }
    assert_eq!(
        ran.json_message("summary")["left_over"],
        Value::Array(Vec::new())
    );
}

/// Append-only is no lie. What cannot be removed is named, and there is no large file among it.
#[test]
fn an_append_only_server_keeps_what_is_named() {
    let server = OurRest::start(|settings| settings.append_only = true);
    let vault = Vault::without_repository(strongroom!());
    let address = server.url("r");
    let ran = vault
        .run(&["storage", "test", &address, "--create", "--json"])
        .ok();
    assert_eq!(capability(&ran, "deletes").1, false);
    assert_eq!(step(&ran, "delete")["result"], "refused");
    assert_eq!(step(&ran, "upload")["result"], "left_out");
    let left = ran.json_message("summary")["left_over"]
        .as_array()
        .unwrap()
        .len();
    assert!(left > 0, "{ran}");
    assert!(ran.stderr_text().contains("could not be removed"), "{ran}");
    assert!(ran.stderr_text().contains("strongroom-test-"), "{ran}");
}

/// Ctrl-C in the middle leaves nothing.
#[test]
fn an_interrupted_test_removes_what_it_has_written() {
    let vault = Vault::without_repository(strongroom!());
    std::fs::create_dir(vault.path("there")).unwrap();
    let child = vault
        .program
        .spawn(["storage", "test", "./there", "--size", "1G"]);
    let has_begun = || std::fs::read_dir(vault.path("there")).unwrap().count() > 0;
    while !has_begun() {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("is removed"), "{said}");
    assert!(!has_begun(), "something is left");
}
