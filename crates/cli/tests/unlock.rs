//! `strongroom unlock`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

/// A lock as restic writes it, of a process on another machine that may still run.
fn lock_of_another(vault: &Vault) {
    use std::process::Stdio;
    // A restic that waits for its standard input holds its lock meanwhile; killed, it leaves the lock.
    let restic = vault.restic();
    let mut command = restic.command(["backup", "--stdin"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while vault.run(&["list", "locks"]).ok().stdout.is_empty() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn t07_a_lock_of_somebody_else_is_not_removed_without_asking() {
    let vault = Vault::new(strongroom!());
    lock_of_another(&vault);
    let unlocked = vault.run(&["unlock"]).ok();
    assert!(
        unlocked.stdout_text().contains("removed 0 locks"),
        "{unlocked}"
    );
    let refused = vault.run(&["unlock", "--remove-all"]).expect_code(26);
    assert!(refused.stderr_text().contains("--yes"), "{refused}");
    assert!(!vault.run(&["list", "locks"]).ok().stdout.is_empty());
    // What deletes waits for it; what reads does not.
    vault.run(&["prune", "--yes"]).expect_code(11);
    vault.run(&["snapshots"]).ok();
    let removed = vault.run(&["unlock", "--remove-all", "--yes"]).ok();
    assert!(
        removed.stdout_text().contains("removed 1 lock"),
        "{removed}"
    );
    assert!(vault.run(&["list", "locks"]).ok().stdout.is_empty());
}

/// A repair beside a backup could take what that has just stored for waste or for damage; its plan alone disturbs nobody.
#[test]
fn t07_repairs_do_not_start_beside_others_and_their_dry_runs_do() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault.run(&["parity", "create"]).ok();
    lock_of_another(&vault);
    for repair in ["files", "index", "packs", "snapshots"] {
        vault.run(&["repair", repair, "--yes"]).expect_code(11);
        vault.run(&["repair", repair, "--dry-run"]).ok();
    }
    vault
        .run(&["repair", "quarantine", "--empty", "--yes"])
        .expect_code(11);
    vault.run(&["repair", "quarantine"]).ok();
}

/// Whoever waits in silence looks as if he hung, and is killed.
#[test]
fn waiting_for_a_lock_is_said_once() {
    let vault = Vault::new(strongroom!());
    lock_of_another(&vault);
    let refused = vault
        .run(&["prune", "--yes", "--retry-lock", "20ms"])
        .expect_code(11);
    let said = refused.stderr_text();
    assert_eq!(
        said.matches("waiting for it until 2").count(),
        1,
        "{refused}"
    );
    assert!(said.contains("by PID "), "{refused}");
    let refused = vault.run(&["prune", "--yes"]).expect_code(11);
    assert!(!refused.stderr_text().contains("waiting"), "{refused}");
}

/// A plain `unlock` leaves what it cannot read, so the hint must not send anybody there.
#[test]
fn a_lock_that_cannot_be_read_is_told_with_what_removes_it() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::write(vault.path("vault/locks").join("ab".repeat(32)), b"torn").unwrap();
    for command in [&["backup", "source"][..], &["prune", "--yes"]] {
        let refused = vault.run(command).expect_code(11);
        assert!(
            refused.stderr_text().contains("unlock --remove-all"),
            "{refused}"
        );
    }
    vault.run(&["snapshots"]).ok();
    vault.run(&["unlock", "--remove-all", "--yes"]).ok();
    vault.run(&["backup", "source"]).ok();
}
