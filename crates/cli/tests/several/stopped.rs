//! Killed or interrupted in between, and run again.

use std::process::Command;

use strongroom_testkit::Random;

use crate::moment::{kill_when, pack_bytes, stored};
use crate::{backup, make, places, restic, times};

/// The snapshot is in the first and not yet in the others when the machine goes down.
#[test]
fn a_run_that_was_killed_between_two_repositories_is_made_up_for_by_the_next() {
    let vault = places();
    for name in ["a", "b", "c"] {
        make(&vault, name, "try-me");
    }
    std::fs::write(vault.path("source/large"), Random::new(10).bytes(40 << 20)).unwrap();
    let words = ["-r", "a", "-r", "b", "-r", "c", "backup", "source"];
    let (first, packs) = (vault.path("a/snapshots"), vault.path("b/data"));
    let killed = kill_when(vault.program.spawn(words), || {
        !stored(&first).is_empty() && pack_bytes(&packs) > 0
    });
    assert!(killed, "it was too quick");
    assert_eq!(times(&vault, "a").len(), 1);
    backup(&vault, &["a", "b", "c"]).ok();
    for name in ["a", "b", "c"] {
        assert_eq!(times(&vault, name), times(&vault, "a"), "{name}");
        assert_eq!(times(&vault, name).len(), 2);
        assert_eq!(restic(&vault, name).list("locks"), [""; 0]);
        restic(&vault, name).check_read_data();
    }
}

#[test]
fn ctrl_c_stops_all_and_leaves_no_lock() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    let mut child = vault
        .program
        .spawn(["-r", "a", "-r", "b", "backup", "--stdin"]);
    let stdin = child.stdin.take();
    while stored(&vault.path("a/locks")).is_empty() {
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
    drop(stdin);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("no snapshot was made"), "{said}");
    for name in ["a", "b"] {
        assert!(restic(&vault, name).snapshot_ids().is_empty());
        assert_eq!(restic(&vault, name).list("locks"), [""; 0]);
    }
}
