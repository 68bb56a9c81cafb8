//! `strongroom restore`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::{Terminal, strongroom};
use vault::Vault;

fn content(vault: &Vault, path: &str) -> String {
    std::fs::read_to_string(vault.path(path)).unwrap()
}

#[test]
fn what_was_backed_up_comes_back() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let told = vault
        .run(&["restore", "latest", "--target", "out", "--verify"])
        .ok();
    assert!(told.stdout_text().contains("Summary: Restored"), "{told}");
    assert_eq!(content(&vault, "out/source/folder/two.txt"), "two two\n");
    let part = ["restore", "latest:/source/folder", "-t", "part", "--json"];
    let summary = vault.run(&part).ok().json_message("summary");
    assert_eq!(summary["bytes_restored"], 8);
    assert_eq!(content(&vault, "part/two.txt"), "two two\n");
    // A second run finds everything in its place.
    let again = vault
        .run(&["restore", "latest", "-t", "out", "--json"])
        .ok();
    assert!(
        again
            .json_message("summary")
            .get("bytes_restored")
            .is_none(),
        "{again}"
    );
}

#[test]
fn patterns_choose_what_is_restored() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault
        .run(&["restore", "latest", "-t", "in", "--include", "two.txt"])
        .ok();
    assert!(vault.path("in/source/folder/two.txt").exists());
    assert!(!vault.path("in/source/one.txt").exists());
    vault
        .run(&["restore", "latest", "-t", "ex", "--exclude", "two.txt"])
        .ok();
    assert!(!vault.path("ex/source/folder/two.txt").exists());
    assert!(vault.path("ex/source/one.txt").exists());
    vault
        .run(&["restore", "latest", "-t", "both", "-i", "a", "-e", "b"])
        .expect_code(2);
    vault
        .run(&["restore", "latest:/missing", "-t", "none"])
        .expect_code(1);
    vault
        .run(&["restore", "latest", "-t", "source/one.txt"])
        .expect_code(1);
}

#[test]
fn the_state_at_a_time_is_the_last_snapshot_before() {
    let vault = Vault::new(strongroom!());
    vault
        .run(&["backup", "source", "--time", "2020-01-01 00:00:00"])
        .ok();
    std::fs::write(vault.path("source/one.txt"), "later").unwrap();
    vault
        .run(&["backup", "source", "--time", "2020-01-03 00:00:00"])
        .ok();
    vault
        .run(&["restore", "--at", "2020-01-02", "-t", "then"])
        .ok();
    assert_eq!(content(&vault, "then/source/one.txt"), "one\n");
    vault
        .run(&["restore", "--at", "2019-01-01", "-t", "never"])
        .expect_code(1);
}

/// Files that somebody changed since are gone for good once they are overwritten.
#[test]
fn overwriting_and_removing_need_a_yes() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    std::fs::write(vault.path("out/source/one.txt"), "changed since").unwrap();
    std::fs::write(vault.path("out/extra"), "").unwrap();
    let restore = ["restore", "latest", "-t", "out", "--delete"];
    let refused = vault.run(&restore).expect_code(26);
    let told = refused.stderr_text();
    assert!(
        told.contains("overwrite 1 entry and remove 1 entry"),
        "{refused}"
    );
    assert!(
        told.contains("/source/one.txt") && told.contains("/extra"),
        "{refused}"
    );
    assert_eq!(content(&vault, "out/source/one.txt"), "changed since");

    let mut no = Terminal::start(&vault.program.command(restore));
    no.wait_for("[y/N]");
    no.type_line("n");
    assert_eq!(no.finish().code, 26);
    assert!(vault.path("out/extra").exists());

    let mut yes = Terminal::start(&vault.program.command(restore));
    yes.wait_for("[y/N]");
    yes.type_line("y");
    assert_eq!(yes.finish().code, 0);
    assert_eq!(content(&vault, "out/source/one.txt"), "one\n");
    assert!(!vault.path("out/extra").exists());
}

#[test]
fn a_program_that_drives_restic_says_yes_by_a_variable() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::create_dir_all(vault.path("out/source")).unwrap();
    std::fs::write(vault.path("out/source/one.txt"), "old").unwrap();
    let args = ["restore", "latest", "-t", "out", "--json"];
    vault.run(&args).expect_code(26);
    let driven = vault
        .program
        .command(args)
        .env("STRONGROOM_YES", "1")
        .output()
        .unwrap();
    assert!(driven.status.success());
    assert_eq!(content(&vault, "out/source/one.txt"), "one\n");
}

#[test]
fn a_dry_run_writes_nothing() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let told = vault
        .run(&["restore", "latest", "-t", "out", "--dry-run", "-v"])
        .ok();
    assert!(told.stdout_text().contains("/source/one.txt"), "{told}");
    assert!(!vault.path("out").exists());
}

/// The data of a snapshot is gone: nothing may pretend to be restored.
#[test]
fn t28_a_restore_that_lacks_something_fails() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    for pack in vault.restic().list("packs") {
        let path = vault.path("vault/data").join(&pack[..2]).join(&pack);
        let blobs = vault
            .restic()
            .run(["list", "blobs", "--no-lock"])
            .ok()
            .stdout_text();
        let holds_data = std::fs::metadata(&path).unwrap().len() > 0 && !blobs.is_empty();
        let found = vault.run(&["find", "--pack", &pack]).ok().stdout_text();
        if holds_data && found.contains("Found blob") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let failed = vault.run(&["restore", "latest", "-t", "out"]);
    assert_eq!(failed.code, 21, "{failed}");
    assert!(failed.stderr_text().contains(".txt"), "{failed}");
    vault
        .run(&["restore", "latest", "-t", "out", "--allow-partial-restore"])
        .expect_code(20);
    assert!(!vault.path("out/source/one.txt").exists());
    assert!(vault.path("out/source/link").is_symlink());
}

/// What a restore would do to somebody's files is known before it is done.
#[test]
fn a_dry_run_lists_conflicts_and_what_is_done_about_them() {
    let vault = Vault::new(strongroom!());
    for number in 0..120 {
        std::fs::write(vault.path(&format!("source/{number:03}")), "x").unwrap();
    }
    vault.backup();
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    for number in 0..120 {
        std::fs::write(vault.path(&format!("out/source/{number:03}")), "mine").unwrap();
    }
    std::fs::remove_file(vault.path("out/source/one.txt")).unwrap();
    std::fs::create_dir_all(vault.path("out/source/one.txt/full")).unwrap();
    let dry = ["restore", "latest", "-t", "out", "--dry-run"];
    let told = vault.run(&dry).expect_code(20).stdout_text();
    assert!(
        told.contains("the target's is newer") && told.contains("/source/099"),
        "{told}"
    );
    assert!(
        !told.contains("/source/100") && told.contains("and 21 more conflicts"),
        "{told}"
    );
    let keep = vault
        .run(&[&dry[..], &["--overwrite", "never"]].concat())
        .ok()
        .stdout_text();
    assert!(
        keep.contains("keep ") && !keep.contains("replace "),
        "{keep}"
    );

    let json = vault.run(&[&dry[..], &["--json"]].concat()).expect_code(20);
    let conflicts: Vec<_> = json.json_lines();
    let conflicts: Vec<_> = conflicts
        .iter()
        .filter(|v| v["message_type"] == "conflict")
        .collect();
    assert_eq!(conflicts.len(), 121);
    assert_eq!(conflicts[0]["item"], "/source/000");
    assert_eq!(conflicts[0]["conflict"], "target_newer");
    assert_eq!(conflicts[0]["action"], "replace");
    assert_eq!(conflicts[0]["target"]["size"], 4);
    assert_eq!(conflicts[0]["snapshot"]["size"], 1);
    assert_eq!(conflicts[120]["conflict"], "folder_in_the_way");
    assert_eq!(json.json_message("summary")["conflicts"], 121);

    let refused = vault.run(&["restore", "latest", "-t", "out", "--yes"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr_text().contains("--delete removes"),
        "{refused}"
    );
    let delete = ["restore", "latest", "-t", "out", "--yes", "--delete"];
    vault.run(&delete).ok();
    assert_eq!(content(&vault, "out/source/one.txt"), "one\n");
}

/// Whoever stops a restore of a large file does not begin it anew.
#[test]
fn a_restore_goes_on_where_it_was_stopped() {
    let vault = Vault::new(strongroom!());
    let large = strongroom_testkit::Random::new(84).bytes(300 << 20);
    std::fs::write(vault.path("source/large"), &large).unwrap();
    vault.backup();
    let written = || {
        let files = std::fs::read_dir(vault.path("out/source"))
            .into_iter()
            .flatten()
            .flatten();
        files
            .filter_map(|file| file.metadata().ok())
            .map(|m| m.len())
            .max()
            .unwrap_or(0)
    };
    // A machine that looked away may find it finished; then it has not been stopped.
    let stopped = loop {
        let child = vault.program.spawn(["restore", "latest", "-t", "out"]);
        while written() < 20 << 20 && !vault.path("out/source/large").exists() {
            std::thread::yield_now();
        }
        let pid = child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(kill.unwrap().success());
        let ended = child.wait_with_output().unwrap();
        if !ended.status.success() {
            break ended;
        }
        std::fs::remove_dir_all(vault.path("out")).unwrap();
    };
    let told = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(130), "{told}");
    assert!(told.contains("the same command goes on"), "{told}");
    let again = vault
        .run(&["restore", "latest", "-t", "out", "--json"])
        .ok();
    let summary = again.json_message("summary");
    assert!(
        summary["bytes_reused"].as_u64().unwrap() >= 8 << 20,
        "{summary}"
    );
    assert!(std::fs::read(vault.path("out/source/large")).unwrap() == large);
    let left = std::fs::read_dir(vault.path("out/source")).unwrap();
    assert!(
        left.flatten()
            .all(|f| !f.file_name().to_string_lossy().ends_with(".part"))
    );
}
