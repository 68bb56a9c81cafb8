//! Where it may be mounted, and how it ends.

use std::fs::File;
use std::io::Read;
use std::process::Command;

use strongroom_testkit::{Ran, strongroom};

use crate::mounted::{Mounted, is_mounted};
use crate::vault::Vault;

#[test]
fn a_signal_unmounts_and_leaves_nothing() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mounted = Mounted::start(&vault, &[]);
        let folder = mounted.folder.clone();
        std::fs::read(folder.join("snapshots/latest/source/one.txt")).unwrap();
        mounted.signal(signal).ok();
        assert!(!is_mounted(&folder));
        assert!(vault.restic().list("locks").is_empty());
        std::fs::remove_dir(&folder).unwrap();
    }
}

#[test]
fn umount_ends_it_and_what_is_mounted_next_stays() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let mounted = Mounted::start(&vault, &["--json"]);
    let folder = mounted.folder.clone();
    let umount = || Ran::run(Command::new("umount").arg(&folder), b"").ok();
    umount();
    let tmpfs = ["-t", "tmpfs", "none"];
    Ran::run(Command::new("mount").args(tmpfs).arg(&folder), b"").ok();
    mounted.wait().ok();
    assert!(is_mounted(&folder), "somebody else's mount was taken away");
    umount();
    assert!(vault.restic().list("locks").is_empty());
}

#[test]
fn a_file_in_use_does_not_keep_it_from_ending() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let mounted = Mounted::start(&vault, &[]);
    let folder = mounted.folder.clone();
    let mut held = File::open(mounted.path("snapshots/latest/source/folder/two.txt")).unwrap();
    let told = mounted.signal("-INT").ok();
    assert!(told.stderr_text().contains("still use it"), "{told}");
    assert!(!is_mounted(&folder));
    let mut text = String::new();
    assert!(held.read_to_string(&mut text).is_err());
}

#[test]
fn a_folder_that_cannot_be_mounted_on_is_refused() {
    let vault = Vault::new(strongroom!());
    let refused = |folder: &str, code: i32, told: &str| {
        let ran = vault.run(&["mount", folder]).expect_code(code);
        assert!(ran.stderr_text().contains(told), "{ran}");
        assert!(ran.stderr_text().contains("hint:"), "{ran}");
    };
    refused("missing", 1, "no such folder");
    refused("source/one.txt", 1, "not a folder");
    refused("source", 26, "not empty");
    std::fs::create_dir(vault.path("vault/inside")).unwrap();
    refused("vault/inside", 26, "in one another");
    let mounted = Mounted::start(&vault, &[]);
    refused("mnt", 26, "not empty");
    drop(mounted);
    let left = Mounted::start(&vault, &[]);
    let folder = left.folder.clone();
    assert_eq!(left.signal("-KILL").code, 137);
    refused("mnt", 1, "whose program has ended");
    Ran::run(Command::new("umount").arg(folder), b"").ok();
}
