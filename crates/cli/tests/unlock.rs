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
