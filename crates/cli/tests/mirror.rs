//! `strongroom mirror`.

#![allow(clippy::unwrap_used)]

mod vault;

use std::fs;
use std::path::PathBuf;

use strongroom_testkit::{Restic, strongroom};
use vault::Vault;

/// The packs of a repository on disk, in order.
fn packs(vault: &Vault, repository: &str) -> Vec<PathBuf> {
    let mut packs: Vec<PathBuf> = fs::read_dir(vault.path(repository).join("data"))
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|pack| pack.unwrap().path())
        .collect();
    packs.sort();
    packs
}

/// The day on which the first disk is dead.
#[test]
fn the_mirror_is_a_repository_of_its_own() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let dry = vault
        .run(&["mirror", "./mirror", "--dry-run", "--json"])
        .ok();
    assert_eq!(
        dry.json_message("summary")["plan"]["snapshots_new"],
        1,
        "{dry}"
    );
    assert!(!vault.path("mirror").exists());

    let made = vault.run(&["mirror", "./mirror", "--json"]).ok();
    let report = made.json_message("summary")["report"].clone();
    assert_eq!(
        report["not_mirrored"].as_array().unwrap().len(),
        0,
        "{made}"
    );
    let again = vault.run(&["mirror", "./mirror", "--json"]).ok();
    assert_eq!(again.json_message("summary")["report"]["files_copied"], 0);

    fs::remove_dir_all(vault.path("vault")).unwrap();
    vault
        .run(&["-r", "./mirror", "restore", "latest", "--target", "out"])
        .ok();
    let restic = Restic::new(vault.path("mirror"), "try-me");
    restic.check_read_data();
    let back = fs::read_to_string(vault.path("out/source/one.txt"));
    assert_eq!(back.unwrap(), "one\n");
}

/// Whoever forgets everything has still a mirror, until it is removed there by name.
#[test]
fn removals_are_asked_for_and_confirmed() {
    let vault = Vault::new(strongroom!());
    let first = vault.backup();
    fs::write(vault.path("source/more"), "more").unwrap();
    vault.backup();
    vault.run(&["mirror", "./mirror"]).ok();
    vault.run(&["forget", &first, "--prune", "--yes"]).ok();

    let shown = vault.run(&["mirror", "./mirror"]).ok();
    assert!(shown.stdout_text().contains("only there:"), "{shown}");
    vault
        .run(&["mirror", "./mirror", "--delete"])
        .expect_code(26);
    let restic = Restic::new(vault.path("mirror"), "try-me");
    assert_eq!(restic.snapshots().len(), 2);

    vault.run(&["mirror", "./mirror", "--delete", "--yes"]).ok();
    assert_eq!(restic.snapshots().len(), 1);
    restic.check_read_data();
    assert_eq!(packs(&vault, "mirror").len(), packs(&vault, "vault").len());
}

/// A damaged pack that replaced the whole one would be lost in both places.
#[test]
fn damage_is_told_and_does_not_spread() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let pack = packs(&vault, "vault").remove(0);
    let whole = fs::read(&pack).unwrap();
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, &whole[1..]).unwrap();
    let told = vault.run(&["mirror", "./mirror"]).expect_code(21);
    assert!(
        told.stderr_text().contains("does not match its name"),
        "{told}"
    );

    fs::write(&pack, &whole).unwrap();
    vault.run(&["mirror", "./mirror"]).ok();
    fs::write(&pack, &whole[1..]).unwrap();
    vault
        .run(&["mirror", "./mirror", "--read-data"])
        .expect_code(21);
    Restic::new(vault.path("mirror"), "try-me").check_read_data();
}

/// A typo in the address.
#[test]
fn what_is_no_mirror_is_left_alone() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault.run(&["mirror", "./vault"]).expect_code(2);
    vault.run(&["-r", "./other", "init"]).ok();
    let refused = vault
        .run(&["mirror", "./other", "--delete", "--yes"])
        .expect_code(26);
    assert!(
        refused.stderr_text().contains("another repository"),
        "{refused}"
    );
    vault.run(&["mirror", "nonsense://x"]).expect_code(2);
}
