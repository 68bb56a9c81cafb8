//! The corpus must hold what it promises: a part that silently stayed empty would make every test built on it pass for nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use strongroom_testkit::{CompareOptions, Corpus, Part, Restic, assert_same_trees};

/// Number of entries by type below a directory.
fn count(path: &Path, counts: &mut BTreeMap<&'static str, usize>) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let metadata = entry.metadata().unwrap();
        let name = match () {
            () if kind.is_dir() => "folder",
            () if kind.is_symlink() => "symlink",
            () if kind.is_fifo() => "fifo",
            () if kind.is_socket() => "socket",
            () if kind.is_char_device() => "char",
            () if kind.is_block_device() => "block",
            () if metadata.len() > 1 << 20 && metadata.blocks() * 512 < metadata.len() / 2 => {
                "sparse"
            }
            () => "file",
        };
        *counts.entry(name).or_default() += 1;
        if metadata.nlink() > 1 && !kind.is_dir() {
            *counts.entry("linked").or_default() += 1;
        }
        if kind.is_dir() {
            count(&entry.path(), counts);
        }
    }
}

#[test]
fn every_type_of_entry_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let grown = Corpus::new(1).grow(&dir.path().join("c")).unwrap();
    let mut counts = BTreeMap::new();
    count(dir.path(), &mut counts);
    let mut wanted = vec![
        "folder", "symlink", "fifo", "socket", "sparse", "file", "linked",
    ];
    if grown.left_out.is_empty() {
        wanted.extend(["char", "block"]);
    }
    for name in wanted {
        assert!(
            counts.get(name).is_some_and(|n| *n > 0),
            "no {name}: {counts:?}, left out: {:?}",
            grown.left_out
        );
    }
    for part in Part::ALL {
        let is_empty = fs::read_dir(dir.path().join("c").join(part.folder()))
            .unwrap()
            .next()
            .is_none();
        assert!(!is_empty || part == Part::Devices, "{part:?} is empty");
    }
    if rustix::process::geteuid().is_root() {
        assert_eq!(grown.left_out, Vec::<String>::new());
    }
}

#[test]
fn a_seed_always_grows_the_same_tree() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    Corpus::new(7).grow(&a).unwrap();
    Corpus::new(7).grow(&b).unwrap();
    // Entries that no part gives a time have that of their making.
    assert_same_trees(
        &a,
        &b,
        &CompareOptions {
            times: false,
            sparse: true,
            ..CompareOptions::default()
        },
    );
}

#[test]
fn the_deepest_path_has_the_length_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("c");
    Corpus::of(1, &[Part::Deep])
        .deep_path_bytes(3500)
        .grow(&root)
        .unwrap();
    let mut longest = 0;
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            longest = longest.max(entry.path().as_os_str().len() - root.as_os_str().len() - 1);
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert_eq!(longest, 3500);
}

#[test]
fn restic_brings_all_of_it_back() {
    // What the reference keeps of the corpus is the least that we owe; and the three tools of this crate work together.
    let dir = tempfile::tempdir().unwrap();
    let (root, target) = (dir.path().join("c"), dir.path().join("t"));
    Corpus::new(3)
        .without(Part::BeyondRestic)
        .grow(&root)
        .unwrap();
    let restic = Restic::new(dir.path().join("vault"), "try-me");
    restic.init();
    restic.backup(&[&root]);
    restic.restore_folder("latest", &root, &target);
    // The folder that is restored is not itself an entry of what is restored.
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&root, &target, &options);
}
