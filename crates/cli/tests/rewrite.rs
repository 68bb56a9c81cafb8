//! `strongroom rewrite`, beside the real restic.

#![allow(clippy::unwrap_used)]

mod vault;

use std::process::Command;

use serde_json::{Value, json};
use strongroom_testkit::{Restic, strongroom};
use vault::Vault;

/// Files of several kinds in several places, backed up twice.
fn fill(vault: &Vault) {
    let write = |name: &str, content: &[u8]| {
        let path = vault.path("source").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("log/a.log", &[1; 5000]);
    write("log/b.LOG", &[2; 6000]);
    write("deep/er/c.log", &[3; 7000]);
    write("deep/er/kept", &[4; 8000]);
    write("deep/more/kept", b"\xffkept");
    write("odd [1] & more/x<y>", b"odd");
    let hard = vault.path("source/deep/hard");
    std::fs::hard_link(vault.path("source/deep/er/kept"), hard).unwrap();
    vault.restic().backup(&[&vault.path("source")]);
    write("folder/three.txt", b"three");
    vault.backup();
}

/// restic on a copy of the repository.
fn fork(vault: &Vault) -> Restic {
    let copied = Command::new("cp")
        .arg("-r")
        .args([vault.path("vault"), vault.path("theirs")])
        .status();
    assert!(copied.unwrap().success());
    Restic::new(vault.path("theirs"), "try-me")
}

/// Snapshots without what is random: their own names.
fn told(restic: &Restic) -> Vec<Value> {
    let mut told = restic.snapshots();
    for snapshot in &mut told {
        let fields = snapshot.as_object_mut().unwrap();
        fields.retain(|name, _| name != "id" && name != "short_id");
    }
    told.sort_by_key(ToString::to_string);
    told
}

fn compare(version: u32, arguments: &[&str]) {
    let vault = match version {
        2 => Vault::new(strongroom!()),
        _ => Vault::without_repository(strongroom!()),
    };
    if version != 2 {
        vault.restic().init_version(version);
    }
    fill(&vault);
    let theirs = fork(&vault);
    std::fs::write(vault.path("patterns"), "# none\n*.log\n\n!a.log\n").unwrap();
    let file = vault.path("patterns").to_str().unwrap().to_owned();
    let mut all = vec!["rewrite"];
    all.extend(arguments.iter().map(|argument| match *argument {
        "PATTERNS" => file.as_str(),
        other => other,
    }));
    let theirs_ran = strongroom_testkit::Ran::run(theirs.command(&all).env("TZ", "UTC"), b"");
    theirs_ran.ok();
    all.push("--yes");
    vault.run(&all).ok();
    assert_eq!(told(&vault.restic()), told(&theirs), "{arguments:?}");
    vault.restic().check_read_data();
}

#[test]
fn the_snapshots_are_those_that_restic_makes() {
    compare(2, &["--exclude", "*.log"]);
    compare(
        2,
        &["--iexclude", "*.log", "--exclude", "deep/more", "--forget"],
    );
    compare(2, &["--exclude", "*"]);
    compare(2, &["--exclude", "/nothing/matches"]);
}

#[test]
fn so_are_those_of_version_1_and_of_other_options() {
    compare(1, &["--exclude", "er", "--forget"]);
    compare(2, &["--exclude-file", "PATTERNS", "latest"]);
    compare(
        2,
        &["--new-host", "other", "--new-time", "2020-01-02 03:04:05"],
    );
    compare(2, &["--snapshot-summary"]);
}

#[test]
fn a_dry_run_and_a_missing_yes_change_nothing() {
    let vault = Vault::new(strongroom!());
    fill(&vault);
    let before = vault.restic().snapshot_ids();
    let rewrite = ["rewrite", "--exclude", "*.log", "--forget"];
    let plan = vault.run(&[&rewrite[..], &["--dry-run"]].concat()).ok();
    assert!(plan.stdout_text().contains("2 files"), "{plan}");
    assert!(plan.stdout_text().contains("2 snapshots would"), "{plan}");
    let json = vault
        .run(&[&rewrite[..], &["--dry-run", "--json"]].concat())
        .ok();
    assert_eq!(json.json_message("changed")["removed_bytes"], 12_000);
    assert_eq!(json.json_message("changed")["new_snapshot_id"], json!(null));
    vault.run(&rewrite).expect_code(26);
    vault.run(&["rewrite"]).expect_code(2);
    vault
        .run(&["rewrite", "--drop", "everything"])
        .expect_code(2);
    vault
        .run(&["rewrite", "--exclude", "x", "--trash", "1d"])
        .expect_code(2);
    assert_eq!(vault.restic().snapshot_ids(), before);

    vault
        .run(&[&rewrite[..], &["--trash", "14d", "--yes"]].concat())
        .ok();
    let after = vault.restic().snapshot_ids();
    assert!(after.len() == 2 && after.iter().all(|id| !before.contains(id)));
    vault.run(&["prune", "--max-unused", "0", "--yes"]).ok();
    vault.run(&["undelete", "--all"]).ok();
    assert_eq!(vault.restic().snapshot_ids().len(), 4);
    vault.restic().check_read_data();
}

/// Metadata that nobody may see goes; the content and the hard links stay.
#[test]
fn metadata_is_dropped_and_restores_are_as_before() {
    let vault = Vault::new(strongroom!());
    fill(&vault);
    let drop = [
        "rewrite",
        "--drop",
        "owners,inodes,xattrs,atimes",
        "--forget",
        "--yes",
    ];
    vault.run(&drop).ok();
    let ran = vault.run(&["ls", "latest", "--json"]).ok();
    let told = ran.stdout_text();
    let lines = told
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let nodes: Vec<Value> = lines
        .filter(|line| line["message_type"] == "node")
        .collect();
    assert!(
        nodes
            .iter()
            .all(|node| node["user"].is_null() || node["user"] == "")
    );
    vault.restic().check_read_data();
    let target = vault.path("back");
    vault
        .restic()
        .restore_folder("latest", std::path::Path::new("/source"), &target);
    use std::os::unix::fs::MetadataExt;
    let (kept, hard) = (target.join("deep/er/kept"), target.join("deep/hard"));
    let inode = |path: &std::path::Path| std::fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&kept), inode(&hard));
    assert_eq!(std::fs::read(target.join("log/a.log")).unwrap(), [1; 5000]);
    assert_eq!(
        std::fs::read(target.join("folder/three.txt")).unwrap(),
        b"three"
    );
}
