//! What is wrong is said before anything is read or written.

use crate::{make, places, restic};

/// Whichever of two repositories such a command took, it could be the wrong one.
#[test]
fn other_commands_work_on_one_repository() {
    let vault = places();
    for command in [
        &["snapshots"][..],
        &["check"],
        &["forget", "--keep-last", "1"],
        &["prune", "--yes"],
        &["copy", "--from-repo", "c"],
        &["storage", "test"],
        &["version"],
    ] {
        let ran = vault.run(&[&["-r", "a", "-r", "b"][..], command].concat());
        let said = ran.expect_code(2).stderr_text();
        assert!(said.contains("`backup` and `init` take several"), "{said}");
    }
}

/// One before the command's name and one behind it: neither is dropped.
#[test]
fn repositories_on_both_sides_of_the_command_all_get_it() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    vault.run(&["-r", "a", "backup", "-r", "b", "source"]).ok();
    for name in ["a", "b"] {
        assert_eq!(restic(&vault, name).snapshot_ids().len(), 1, "{name}");
    }
}

#[test]
fn one_place_counts_once() {
    let vault = places();
    make(&vault, "a", "try-me");
    let twice = vault.run(&["-r", "a", "-r", "a", "backup", "source"]);
    twice.expect_code(2);
    vault.run(&["-r", "a", "mirror", "copy"]).ok();
    let mirror = vault.run(&["-r", "a", "-r", "copy", "backup", "source"]);
    let said = mirror.expect_code(2).stderr_text();
    assert!(said.contains("mirror"), "{said}");
    assert!(restic(&vault, "a").snapshot_ids().is_empty());
}

#[test]
fn passwords_are_one_for_all_or_one_for_each() {
    let vault = places();
    std::fs::write(vault.path("p"), "try-me").unwrap();
    let words = "-r a -r b -r c -p p -p p backup source";
    let words: Vec<&str> = words.split(' ').collect();
    let said = vault.run(&words).expect_code(2).stderr_text();
    assert!(
        said.contains("2 password files and 3 repositories"),
        "{said}"
    );
}
