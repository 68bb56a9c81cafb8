//! Damage costs what it touches and nothing else, and never looks like an empty file.

use std::path::Path;

use strongroom_testkit::{Random, strongroom};

use crate::mounted::{Mounted, names};
use crate::vault::Vault;

const EIO: i32 = 5;

/// Backs a new file up alone, so that it has packs to itself: those of its tree and of its content, the larger one last.
fn backup_alone(vault: &Vault, name: &str, content: &[u8]) -> Vec<std::path::PathBuf> {
    let before = vault.restic().list("packs");
    std::fs::write(vault.path("source").join(name), content).unwrap();
    vault.backup();
    let path = |pack: &String| vault.path("vault/data").join(&pack[..2]).join(pack);
    let mut new: Vec<_> = vault.restic().list("packs");
    new.retain(|pack| !before.contains(pack));
    let mut paths: Vec<_> = new.iter().map(path).collect();
    paths.sort_by_key(|path| path.metadata().unwrap().len());
    paths
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn error_of(path: &Path) -> Option<i32> {
    std::fs::read(path).unwrap_err().raw_os_error()
}

#[test]
fn a_damaged_blob_is_an_error_of_its_file_alone() {
    let vault = Vault::new(strongroom!());
    let mut random = Random::new(44);
    let contents = ["good", "bad", "gone"].map(|name| (name, random.bytes(3 << 20)));
    let packs = contents
        .each_ref()
        .map(|(name, content)| backup_alone(&vault, name, content));
    flip(packs[1].last().unwrap());
    std::fs::remove_file(packs[2].last().unwrap()).unwrap();
    let mounted = Mounted::start(&vault, &["--no-cache"]);
    let source = mounted.path("snapshots/latest/source");
    assert_eq!(error_of(&source.join("bad")), Some(EIO));
    assert_eq!(error_of(&source.join("bad")), Some(EIO));
    assert_eq!(error_of(&source.join("gone")), Some(EIO));
    assert!(std::fs::read(source.join("good")).unwrap() == contents[0].1);
    assert_eq!(std::fs::read(source.join("one.txt")).unwrap(), b"one\n");
    assert_eq!(source.join("bad").metadata().unwrap().len(), 3 << 20);
    let told = mounted.signal("-INT").ok().stderr_text();
    let lines: Vec<_> = told.lines().filter(|l| l.contains("warning")).collect();
    assert!(lines.iter().any(|l| l.contains("source/bad")), "{told}");
    assert!(lines.iter().any(|l| l.contains("source/gone")), "{told}");
    assert!(!told.contains("source/good"), "{told}");
    assert_eq!(
        lines.iter().filter(|l| l.contains("source/bad")).count(),
        1,
        "{told}"
    );
}

/// An empty folder in place of a damaged one would be taken for the state that was backed up.
#[test]
fn a_damaged_tree_is_an_error_of_its_folder() {
    let vault = Vault::new(strongroom!());
    let whole = vault.backup();
    let packs = backup_alone(&vault, "new", b"new");
    // Trees and data are both small here, so nothing is left of either.
    for pack in packs {
        let length = pack.metadata().unwrap().len();
        std::fs::write(&pack, vec![0; usize::try_from(length).unwrap()]).unwrap();
    }
    let mounted = Mounted::start(&vault, &["--no-cache"]);
    let latest = mounted.path("snapshots/latest");
    assert_eq!(
        std::fs::read_dir(&latest)
            .err()
            .and_then(|e| e.raw_os_error()),
        Some(EIO)
    );
    assert_eq!(error_of(&latest.join("source/one.txt")), Some(EIO));
    let other = mounted.path("ids").join(&whole[..8]);
    assert_eq!(names(&other.join("source")), ["folder", "link", "one.txt"]);
}

/// An older state must not pass for the newest.
#[test]
fn nothing_is_called_latest_beside_a_snapshot_that_cannot_be_read() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::write(vault.path("source/one.txt"), "newer").unwrap();
    let newer = vault.backup();
    flip(&vault.path("vault/snapshots").join(newer));
    let mounted = Mounted::start(&vault, &["--no-cache"]);
    let shown = names(&mounted.path("snapshots"));
    assert_eq!(shown.len(), 1);
    assert!(!shown.contains(&"latest".to_owned()));
    let told = mounted.signal("-INT").ok().stderr_text();
    assert!(told.contains("latest"), "{told}");
}
