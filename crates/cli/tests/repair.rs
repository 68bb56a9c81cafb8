//! `strongroom repair`: what a person does after damage, step by step.

#![allow(clippy::unwrap_used)]

mod vault;

use std::path::{Path, PathBuf};

use strongroom_testkit::{CompareOptions, Random, assert_same_trees, strongroom};
use vault::Vault;

/// A repository with two snapshots of the same files; their identifiers.
fn two_snapshots() -> (Vault, [String; 2]) {
    let vault = Vault::new(strongroom!().env("STRONGROOM_FROM_PASSWORD", "try-me"));
    let content = Random::new(1).bytes(3_000_000);
    std::fs::write(vault.path("source/large"), &content).unwrap();
    let (first, second) = (vault.backup(), vault.backup());
    (vault, [first, second])
}

fn packs(vault: &Vault) -> Vec<PathBuf> {
    let mut packs: Vec<PathBuf> = std::fs::read_dir(vault.path("vault/data"))
        .unwrap()
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    packs.sort();
    packs
}

/// A backup tells that it brought back what was lost, in words and in figures.
#[track_caller]
fn assert_healed(vault: &Vault) {
    let copy = vault.path("copy");
    copy_dir(&vault.path("vault"), &copy);
    let ran = vault
        .run(&["--no-cache", "backup", "--json", "source"])
        .ok();
    let summary = ran.json_message("summary");
    assert!(summary["blobs_healed"].as_u64().unwrap() > 0, "{ran}");
    assert!(summary["files_healed"].as_u64().unwrap() > 0, "{ran}");
    assert_eq!(summary["blobs_lost"], 0, "{ran}");
    let told = vault
        .run(&["-r", "copy", "--no-cache", "backup", "source"])
        .ok();
    assert!(told.stdout_text().contains("healed: "), "{told}");
    // The next one has nothing to heal, and does not say so.
    let ran = vault
        .run(&["--no-cache", "backup", "--json", "source"])
        .ok();
    assert!(ran.json_message("summary").get("blobs_healed").is_none());
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Both snapshots come back whole.
#[track_caller]
fn assert_restored(vault: &Vault, snapshots: &[String; 2]) {
    for (number, snapshot) in snapshots.iter().enumerate() {
        let target = format!("back{number}");
        vault
            .run(&["--no-cache", "restore", snapshot, "--target", &target])
            .ok();
        let options = CompareOptions::default();
        let (source, target) = (vault.path("source"), vault.path(&target));
        assert_same_trees(&source, &target.join("source"), &options);
    }
}

/// Whichever pack is lost: as long as the files are still there, nothing is.
#[test]
fn t36_a_pack_that_is_lost_is_healed_by_the_next_backup_after_a_repair_of_the_index() {
    for number in 0..2 {
        let (vault, snapshots) = two_snapshots();
        std::fs::remove_file(&packs(&vault)[number]).unwrap();
        vault.run(&["--no-cache", "check"]).expect_code(21);
        let dry = vault.run(&["repair", "index", "--dry-run"]).expect_code(21);
        assert!(dry.stdout_text().contains("is missing"), "{dry}");
        vault.run(&["repair", "index", "--yes"]).expect_code(21);
        assert_healed(&vault);
        vault.run(&["--no-cache", "check", "--read-data"]).ok();
        vault.restic().check_read_data();
        assert_restored(&vault, &snapshots);
    }
}

/// The same for a byte that has changed in the middle of a pack.
#[test]
fn t36_what_a_flipped_byte_destroys_is_healed_after_a_repair_of_the_packs() {
    for number in 0..2 {
        let (vault, snapshots) = two_snapshots();
        let pack = &packs(&vault)[number];
        let mut content = std::fs::read(pack).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        std::fs::remove_file(pack).unwrap();
        std::fs::write(pack, &content).unwrap();
        vault
            .run(&["--no-cache", "check", "--read-data"])
            .expect_code(21);
        vault
            .run(&["repair", "packs", "--read-data", "--yes"])
            .expect_code(21);
        assert_healed(&vault);
        vault.run(&["--no-cache", "check", "--read-data"]).ok();
        vault.restic().check_read_data();
        assert_restored(&vault, &snapshots);
        // What was damaged is still there, as it was.
        let quarantine = vault.path("vault/strongroom/quarantine");
        let saved = std::fs::read_dir(&quarantine)
            .unwrap()
            .map(|file| file.unwrap().path())
            .find(|path| path.to_str().unwrap().contains("/pack-"));
        assert!(std::fs::read(saved.unwrap()).unwrap() == content);
        vault
            .run(&["repair", "quarantine", "--empty", "--yes"])
            .ok();
        assert_eq!(std::fs::read_dir(&quarantine).unwrap().count(), 0);
    }
}

/// Nobody has noticed yet that a pack is gone: the backup does, and stores its content again.
#[test]
fn t36_a_backup_notices_a_missing_pack_itself() {
    for number in 0..2 {
        let (vault, snapshots) = two_snapshots();
        std::fs::remove_file(&packs(&vault)[number]).unwrap();
        let ran = vault.run(&["--no-cache", "backup", "source"]).ok();
        assert!(ran.stderr_text().contains("is missing"), "{ran}");
        assert!(ran.stdout_text().contains("healed: "), "{ran}");
        vault.run(&["repair", "index", "--yes"]).ok();
        vault.run(&["--no-cache", "check", "--read-data"]).ok();
        vault.restic().check_read_data();
        assert_restored(&vault, &snapshots);
    }
}

/// What is lost for good must not be passed over for what came back.
#[test]
fn t36_what_a_backup_cannot_bring_back_is_told() {
    for number in 0..2 {
        let (vault, _) = two_snapshots();
        std::fs::remove_file(vault.path("source/large")).unwrap();
        std::fs::remove_file(&packs(&vault)[number]).unwrap();
        let ran = vault
            .run(&["--no-cache", "backup", "--json", "source"])
            .ok();
        let lost = ran.json_message("summary")["blobs_lost"].as_u64();
        assert!(lost.unwrap() > 0, "{ran}");
    }
}

/// A check changes nothing, and must not sound as if it had (story T-37).
#[test]
fn t37_a_check_that_changes_nothing_does_not_say_that_it_healed() {
    let (vault, _) = two_snapshots();
    copy_dir(&vault.path("vault"), &vault.path("copy"));
    std::fs::remove_file(&packs(&vault)[0]).unwrap();
    let dry = ["check", "--heal-from", "./copy", "--dry-run"];
    for args in [&["check"][..], &["check", "--read-data"], &dry] {
        let before = packs(&vault);
        for json in [&[][..], &["--json"]] {
            let ran = vault.run(&[&["--no-cache"], args, json].concat());
            let ran = ran.expect_code(21);
            let said = format!("{}{}", ran.stdout_text(), ran.stderr_text()).to_lowercase();
            // `"blobs_healed":null` is the dry run's way to say that nothing was.
            let said = said.replace("\"blobs_healed\":null", "");
            for word in ["healed", "repaired", "fixed", "mended"] {
                assert!(!said.contains(word), "{word}: {ran}");
            }
        }
        assert_eq!(packs(&vault), before);
    }
}

/// The hint after a check leads, step by step, to a repository that is whole.
#[test]
fn t36_the_hint_of_a_check_names_the_steps_and_a_copy_brings_the_rest() {
    let (vault, snapshots) = two_snapshots();
    copy_dir(&vault.path("vault"), &vault.path("copy"));
    let pack = packs(&vault)[0].clone();
    std::fs::remove_file(pack).unwrap();
    let found = vault.run(&["--no-cache", "check"]).expect_code(21);
    for step in ["repair index", "backup", "--heal-from", "repair snapshots"] {
        assert!(found.stderr_text().contains(step), "{step}: {found}");
    }
    let healed = vault
        .run(&["--no-cache", "check", "--heal-from", "./copy"])
        .ok();
    assert!(healed.stdout_text().contains("healed: "), "{healed}");
    assert!(healed.stderr_text().contains("repair index"), "{healed}");
    vault.run(&["repair", "index", "--yes"]).ok();
    vault.run(&["--no-cache", "check", "--read-data"]).ok();
    vault.restic().check_read_data();
    assert_restored(&vault, &snapshots);
    vault
        .run(&["--no-cache", "check", "--heal-from", "./vault"])
        .expect_code(2);
}

/// What nothing brings back: a snapshot of the rest, and the report of what it lacks.
#[test]
fn a_snapshot_is_made_of_what_is_left() {
    let (vault, snapshots) = two_snapshots();
    let large = packs(&vault)
        .into_iter()
        .max_by_key(|pack| pack.metadata().unwrap().len());
    std::fs::remove_file(large.unwrap()).unwrap();
    vault.run(&["repair", "index", "--yes"]).expect_code(21);
    let refused = vault.run(&["repair", "snapshots"]).expect_code(26);
    assert!(refused.stdout_text().contains("large: "), "{refused}");
    let json = vault
        .run(&["repair", "snapshots", "--yes", "--json"])
        .expect_code(21);
    let summary = json.json_message("repair_snapshots_summary");
    assert_eq!(summary["made"].as_array().unwrap().len(), 2, "{json}");
    let listed = vault.run(&["snapshots", "--json"]).ok();
    for snapshot in &snapshots {
        assert!(listed.stdout_text().contains(snapshot), "{listed}");
    }
    vault
        .run(&["repair", "snapshots", "--forget", "--yes"])
        .ok();
    vault.run(&["--no-cache", "check", "--read-data"]).ok();
    vault.restic().check_read_data();
    vault
        .run(&["--no-cache", "restore", "latest", "--target", "back"])
        .ok();
    // Everything lay in that pack: the files are there, with nothing left in them.
    let one = std::fs::read_to_string(vault.path("back/source/one.txt"));
    assert_eq!(one.unwrap(), "");
}

/// A pack by its name is looked for as every other file is.
#[test]
fn a_pack_that_is_not_there_is_told() {
    let (vault, _) = two_snapshots();
    let unknown = "0f".repeat(32);
    for (name, code) in [
        (unknown.as_str(), 1),
        (&unknown[..20], 1),
        ("pack", 2),
        ("", 2),
    ] {
        let ran = vault.run(&["repair", "packs", name]).expect_code(code);
        assert!(ran.stderr_text().contains("error: "), "{name}: {ran}");
    }
    let pack = packs(&vault)[0]
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_uppercase();
    let told = vault.run(&["repair", "packs", &pack[..12]]).ok();
    assert!(told.stdout_text().contains("is whole"), "{told}");
}
