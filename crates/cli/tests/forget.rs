//! `strongroom forget`, `prune` and `tag`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::{Terminal, strongroom};
use vault::Vault;

fn days(vault: &Vault, number: u32) {
    for day in 1..=number {
        std::fs::write(vault.path("source/one.txt"), format!("day {day}")).unwrap();
        let time = format!("2024-05-{day:02} 12:00:00");
        vault.run(&["backup", "-q", "source", "--time", &time]).ok();
    }
}

#[test]
fn the_plan_is_restics_and_nothing_goes_without_a_yes() {
    let vault = Vault::new(strongroom!());
    days(&vault, 4);
    let plan = [
        "forget",
        "--keep-last",
        "1",
        "--keep-daily",
        "2",
        "--json",
        "--dry-run",
    ];
    let theirs = vault.restic().run(plan).ok().json();
    assert_eq!(vault.run(&plan).ok().json(), theirs);

    let refused = vault.run(&["forget", "--keep-last", "1"]).expect_code(26);
    assert!(refused.stdout_text().contains("last snapshot"), "{refused}");
    assert!(
        refused.stderr_text().contains("STRONGROOM_YES"),
        "{refused}"
    );
    assert_eq!(vault.restic().snapshot_ids().len(), 4);

    let mut asked = Terminal::start(&vault.program.command(["forget", "--keep-last", "2"]));
    asked.wait_for("Remove 2 snapshots? [y/N]");
    asked.type_line("y");
    assert_eq!(asked.finish().code, 0);
    assert_eq!(vault.restic().snapshot_ids().len(), 2);

    vault
        .run(&["forget", "--keep-last", "1", "--prune", "--yes"])
        .ok();
    assert_eq!(vault.restic().snapshot_ids().len(), 1);
    vault.restic().check_read_data();
}

#[test]
fn t13_a_policy_that_keeps_nothing_is_refused() {
    let vault = Vault::new(strongroom!());
    days(&vault, 1);
    let refused = vault
        .run(&["forget", "--keep-tag", "typo", "--yes"])
        .expect_code(26);
    assert!(refused.stderr_text().contains("--keep-tag"), "{refused}");
    vault.run(&["forget", "--yes"]).expect_code(2);
    vault
        .run(&["forget", "--keep-last", "many", "--yes"])
        .expect_code(2);
    let id = &vault.restic().snapshot_ids()[0];
    vault
        .run(&["forget", id, "--keep-last", "1", "--yes"])
        .expect_code(2);
    assert_eq!(vault.restic().snapshot_ids().len(), 1);
    // By name it is meant.
    vault.run(&["forget", &id[..8], "--yes"]).ok();
    assert!(vault.restic().snapshot_ids().is_empty());
}

#[test]
fn prune_shows_its_plan_and_asks() {
    let vault = Vault::new(strongroom!());
    days(&vault, 2);
    vault.run(&["forget", "--keep-last", "1", "--yes"]).ok();
    let packs = vault.restic().list("packs");
    let dry = vault.run(&["prune", "--dry-run", "--json"]).ok().json();
    assert!(dry["removed"]["blobs"].as_u64().unwrap() > 0, "{dry}");
    vault.run(&["prune", "--max-unused", "0"]).expect_code(26);
    assert_eq!(vault.restic().list("packs"), packs);
    vault.run(&["prune", "--max-unused", "0", "--yes"]).ok();
    assert_ne!(vault.restic().list("packs"), packs);
    vault.restic().check_read_data();
    vault.run(&["prune"]).ok();
    vault.run(&["prune", "--max-unused", "much"]).expect_code(2);
}

#[test]
fn tags_change_and_the_old_name_is_remembered() {
    let vault = Vault::new(strongroom!());
    let old = vault.backup();
    let told = vault.run(&["tag", "--add", "a,b", "--json"]).ok();
    assert_eq!(
        told.json_message("changed")["old_snapshot_id"],
        old.as_str()
    );
    assert_eq!(told.json_message("summary")["changed_snapshots"], 1);
    vault.run(&["tag", "--remove", "a", "latest"]).ok();
    let now = vault.restic().snapshots();
    assert_eq!(now[0]["tags"], serde_json::json!(["b"]));
    assert_eq!(now[0]["original"], old.as_str());
    vault.run(&["tag"]).expect_code(2);
}
