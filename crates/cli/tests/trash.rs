//! `strongroom forget --trash`, `snapshots --trash`, `undelete`, and `prune` with something in the trash.

#![allow(clippy::unwrap_used)]

mod vault;

use serde_json::Value;
use strongroom_testkit::strongroom;
use vault::Vault;

/// Three snapshots, each with a file of its own; their ids, oldest first.
fn three(vault: &Vault) -> Vec<String> {
    let content = |number: u8| vec![number; 50_000];
    let backup = |number: u8| {
        std::fs::write(vault.path("source/one.txt"), content(number)).unwrap();
        vault.backup()
    };
    (1..=3).map(backup).collect()
}

fn listed(vault: &Vault) -> Vec<Value> {
    let told = vault.run(&["snapshots", "--trash", "--json"]).ok().json();
    told.as_array().unwrap().clone()
}

#[test]
fn what_is_forgotten_is_listed_and_comes_back() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    let forget = ["forget", &ids[0], &ids[1], "--trash", "14d"];
    let dry = vault.run(&[&forget[..], &["--dry-run"]].concat()).ok();
    assert!(dry.stdout_text().contains("nothing was removed"), "{dry}");
    vault.run(&forget).expect_code(26);
    assert_eq!(vault.restic().snapshot_ids().len(), 3);
    let told = vault
        .run(&[&forget[..], &["--prune", "--yes"]].concat())
        .ok();
    assert!(
        told.stdout_text().contains("into the trash until"),
        "{told}"
    );
    assert_eq!(vault.restic().snapshot_ids(), ids[2..]);

    let trash = listed(&vault);
    let in_trash: Vec<&str> = trash
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(in_trash, ids[..2]);
    assert!(trash[0]["kept_until"].as_str() > trash[0]["forgotten_at"].as_str());
    let table = vault.run(&["snapshots", "--trash", &ids[0][..8]]).ok();
    assert!(table.stdout_text().contains("Until"), "{table}");
    assert!(table.stdout_text().contains("1 snapshot"), "{table}");
    vault.restic().check_read_data();

    vault.run(&["undelete"]).expect_code(2);
    let unknown = vault.run(&["undelete", "ffffffff"]).expect_code(1);
    assert!(
        unknown.stderr_text().contains("snapshots --trash"),
        "{unknown}"
    );
    let plan = vault.run(&["undelete", "--all", "--dry-run"]).ok();
    assert!(plan.stdout_text().contains("2 snapshots would"), "{plan}");
    assert_eq!(listed(&vault).len(), 2);
    let back = vault.run(&["undelete", &ids[0][..8], "--json"]).ok();
    assert_eq!(back.json_message("summary")["restored"][0], ids[0].as_str());
    vault.run(&["undelete", "--all"]).ok();
    assert!(listed(&vault).is_empty());
    assert_eq!(vault.restic().snapshot_ids(), ids);
    vault.restic().check_read_data();
    let target = vault.path("back");
    vault.restic().restore(&ids[0], &target);
}

#[test]
fn the_trash_is_emptied_by_hand_alone_before_its_time() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    vault
        .run(&["forget", &ids[0], "--trash", "1h", "--yes"])
        .ok();
    vault
        .run(&["forget", "--trash", "0d", &ids[1], "--yes"])
        .expect_code(2);
    vault
        .run(&["forget", "--trash", "soon", &ids[1]])
        .expect_code(2);
    vault.run(&["prune", "--max-unused", "0", "--yes"]).ok();
    assert_eq!(listed(&vault).len(), 1);
    let plan = vault
        .run(&[
            "prune",
            "--max-unused",
            "0",
            "--empty-trash",
            "--json",
            "--dry-run",
        ])
        .ok();
    assert_eq!(plan.json()["plan"]["trash_expired"], 1);
    let empty = ["prune", "--max-unused", "0", "--empty-trash"];
    let asked = vault.run(&empty).expect_code(26);
    assert!(
        asked.stderr_text().contains("1 snapshot in the trash"),
        "{asked}"
    );
    vault.run(&[&empty[..], &["--yes"]].concat()).ok();
    assert!(listed(&vault).is_empty());
    vault.restic().check_read_data();
}

/// The user asked for a snapshot back and gets one with holes, or none, without being told.
#[test]
fn what_restic_has_pruned_away_is_told() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    vault
        .run(&["forget", &ids[0], "--trash", "14d", "--yes"])
        .ok();
    vault.restic().run(["prune", "--max-unused", "0"]).ok();
    let refused = vault.run(&["undelete", "--all"]).expect_code(21);
    assert!(refused.stderr_text().contains("lacks"), "{refused}");
    assert!(refused.stderr_text().contains("--force"), "{refused}");
    assert_eq!(listed(&vault).len(), 1);
    let check = vault.run(&["check"]).ok();
    assert!(
        check.stderr_text().contains("cannot be brought back whole"),
        "{check}"
    );
    vault.run(&["prune", "--yes"]).ok();
    vault.run(&["undelete", &ids[0], "--force"]).expect_code(21);
    assert_eq!(vault.restic().snapshot_ids().len(), 3);
}

#[test]
fn a_record_that_cannot_be_read_stops_the_prune() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    vault
        .run(&["forget", &ids[0], &ids[1], "--trash", "14d", "--yes"])
        .ok();
    let record = vault.path("vault/strongroom/trash").join(&ids[0]);
    std::fs::remove_file(&record).unwrap();
    std::fs::write(&record, b"no record").unwrap();
    let stopped = vault.run(&["prune", "--yes"]).expect_code(21);
    assert!(stopped.stderr_text().contains("--empty-trash"), "{stopped}");
    vault.run(&["check"]).expect_code(21);
    vault.run(&["snapshots", "--trash"]).expect_code(21);
    vault.run(&["undelete", "--all"]).expect_code(21);
    assert_eq!(vault.restic().snapshot_ids(), ids[1..]);
}
