//! A restore that is killed again and again, over a tree that is there.

use std::path::Path;

use strongroom_repository::restore::is_partial_name;
use strongroom_testkit::{CompareOptions, Random, assert_same_trees, strongroom};

use crate::moment::{files, kill_when};
use crate::vault::Vault;

/// Everything under a final name is the old file or the new one, whole. Returns how many are the new one.
fn whole_files(vault: &Vault, target: &Path) -> usize {
    let mut new = 0;
    for path in files(target).into_keys() {
        let name = path.file_name().unwrap().as_encoded_bytes();
        if is_partial_name(name) {
            continue;
        }
        let relative = path.strip_prefix(target).unwrap();
        let content = std::fs::read(&path).unwrap();
        let is_new = content == std::fs::read(vault.path("").join(relative)).unwrap();
        assert!(
            is_new || content == b"old",
            "{} is neither the old file nor the new one",
            path.display()
        );
        new += usize::from(is_new);
    }
    new
}

#[test]
fn t29_a_restore_that_was_killed_leaves_whole_files_and_the_next_finishes() {
    let seed = Random::fresh_seed();
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let vault = Vault::new(strongroom!());
    for n in 0..60 {
        let length = if n % 10 == 0 { 6 << 20 } else { 1000 + n };
        std::fs::write(vault.path(&format!("source/{n}")), random.bytes(length)).unwrap();
    }
    vault.backup();
    let target = vault.path("out");
    std::fs::create_dir_all(target.join("source")).unwrap();
    for n in [0, 7, 30] {
        std::fs::write(target.join(format!("source/{n}")), "old").unwrap();
    }
    let restore = ["restore", "latest", "-t", "out", "--yes"];
    let partial = || {
        files(&target)
            .into_keys()
            .any(|path| is_partial_name(path.file_name().unwrap().as_encoded_bytes()))
    };
    let mut killed = usize::from(kill_when(vault.program.spawn(restore), partial));
    whole_files(&vault, &target);
    for _ in 0..3 {
        let before = files(&target).len();
        let more = 1 + random.below(30) as usize;
        killed += usize::from(kill_when(vault.program.spawn(restore), || {
            files(&target).len() >= before + more
        }));
        whole_files(&vault, &target);
    }
    assert!(killed >= 1, "it was too quick");
    println!(
        "killed {killed} times, {} files whole",
        whole_files(&vault, &target)
    );
    vault.run(&restore).ok();
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    // No partial file is left of all that.
    assert_same_trees(&vault.path("source"), &target.join("source"), &options);
}
