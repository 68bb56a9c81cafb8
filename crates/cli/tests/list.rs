//! `strongroom list` and `strongroom cat`.

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn every_kind_is_listed_as_restic_lists_it() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    for kind in ["blobs", "packs", "index", "snapshots", "keys", "locks"] {
        let ours = vault.run(&["list", kind]).ok().stdout_text();
        let mut ours: Vec<&str> = ours.lines().collect();
        let mut theirs = vault.restic().list(kind);
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{kind}");
    }
}

#[test]
fn objects_are_printed_as_restic_prints_them() {
    let vault = Vault::new(strongroom!());
    let snapshot = vault.backup();
    let theirs = |args: &[&str]| vault.restic().run(args).ok();
    let first = |kind: &str| vault.restic().list(kind)[0].clone();
    let (index, key) = (first("index"), first("keys"));
    for args in [
        vec!["cat", "config"],
        vec!["cat", "snapshot", &snapshot],
        vec!["cat", "index", &index],
        vec!["cat", "key", &key],
    ] {
        assert_eq!(
            vault.run(&args).ok().json(),
            theirs(&args).json(),
            "{args:?}"
        );
    }
    let pack = first("packs");
    let args = ["cat", "pack", &pack];
    assert_eq!(vault.run(&args).ok().stdout, theirs(&args).stdout);
    let blob = vault.restic().list("blobs")[0]
        .split_once(' ')
        .unwrap()
        .1
        .to_owned();
    let args = ["cat", "blob", &blob];
    assert_eq!(vault.run(&args).ok().stdout, theirs(&args).stdout);
    vault.run(&["cat", "blob", &blob[..10]]).ok();
}

/// Whoever has the master key needs no password, and what a terminal showed is in a log somewhere.
#[test]
fn the_master_key_is_not_printed() {
    let vault = Vault::new(strongroom!());
    vault.run(&["cat", "masterkey"]).expect_code(2);
}
