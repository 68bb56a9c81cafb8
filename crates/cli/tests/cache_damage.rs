//! The cache may be damaged, filled, closed or removed at any time: results stay the same (T-22).

#![allow(clippy::unwrap_used)]

mod vault;

use std::path::{Path, PathBuf};

use strongroom_testkit::{Ran, Random, SmallDisk, strongroom};
use vault::Vault;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// A repository of several trees, and what commands print about it without a cache.
struct Known {
    vault: Vault,
    listed: Vec<u8>,
    dumped: Vec<u8>,
}

impl Known {
    fn new() -> Self {
        let vault = Vault::new(strongroom!());
        for n in 0..20 {
            let folder = vault.path(&format!("source/deep/{n}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("file"), n.to_string()).unwrap();
        }
        vault.run(&["backup", "--no-cache", "source"]).ok();
        let listed = vault.run(&["ls", "latest", "--no-cache", "-q"]).ok().stdout;
        let dump = ["dump", "latest", "/source/deep/7/file", "--no-cache"];
        let dumped = vault.run(&dump).ok().stdout;
        assert!(!listed.is_empty() && !dumped.is_empty());
        Self {
            vault,
            listed,
            dumped,
        }
    }

    /// The same results with this cache folder, twice: the first run may fill it.
    #[track_caller]
    fn assert_same_with(&self, cache: &Path) {
        let cache = cache.to_str().unwrap();
        let run = |args: &[&str]| {
            let ran = self.vault.run(&[args, &["--cache-dir", cache]].concat());
            assert!(!ran.stderr_text().contains("panicked"), "{ran}");
            ran.ok()
        };
        for _ in 0..2 {
            assert_eq!(run(&["ls", "latest", "-q"]).stdout, self.listed);
            let dump = ["dump", "latest", "/source/deep/7/file"];
            assert_eq!(run(&dump).stdout, self.dumped);
        }
    }
}

#[test]
fn t22_a_damaged_cache_changes_no_result() {
    let known = Known::new();
    let cache = known.vault.path("cache");
    known.assert_same_with(&cache);
    let cached = files(&cache);
    assert!(cached.len() > 3, "nothing is cached: {cached:?}");
    let mut random = Random::new(22);
    let damages: [&dyn Fn(&Path); 4] = [
        &|path| std::fs::write(path, b"").unwrap(),
        &|path| {
            let mut bytes = std::fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0x40;
            }
            std::fs::write(path, bytes).unwrap();
        },
        &|path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        &|path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        },
    ];
    for damage in damages {
        for path in files(&cache) {
            damage(&path);
        }
        known.assert_same_with(&cache);
    }
    for path in files(&cache) {
        std::fs::write(path, random.bytes(5000)).unwrap();
    }
    known.assert_same_with(&cache);
    // A backup and a check that go through it, and what restic thinks of the result.
    for path in files(&cache) {
        std::fs::write(path, random.bytes(500)).unwrap();
    }
    let with = |args: &[&str]| -> Ran {
        let cache = cache.to_str().unwrap();
        known.vault.run(&[args, &["--cache-dir", cache]].concat())
    };
    std::fs::write(known.vault.path("source/new"), "new").unwrap();
    let summary = with(&["backup", "--json", "source"]).ok();
    assert_eq!(summary.json_message("summary")["files_new"], 1);
    with(&["check", "--read-data"]).ok();
    known.vault.restic().check_read_data();
}

#[test]
fn t22_a_cache_that_takes_nothing_changes_no_result() {
    let known = Known::new();
    std::fs::write(known.vault.path("file"), "").unwrap();
    known.assert_same_with(&known.vault.path("file"));
    known.assert_same_with(&known.vault.path("file/below"));
    let Some(disk) = SmallDisk::new(1 << 20) else {
        return;
    };
    disk.fill(0);
    known.assert_same_with(&disk.path().join("cache"));
    disk.make_read_only();
    known.assert_same_with(&disk.path().join("cache"));
}

/// The cache goes while a backup runs: somebody cleans up.
#[test]
fn t22_a_cache_that_goes_in_the_middle_changes_no_result() {
    let known = Known::new();
    let vault = &known.vault;
    let cache = vault.path("cache");
    known.assert_same_with(&cache);
    let mut child = vault
        .program
        .spawn(["backup", "--stdin", "--json", "--cache-dir", "cache"]);
    let stdin = child.stdin.take().unwrap();
    while std::fs::read_dir(vault.path("vault/locks"))
        .unwrap()
        .count()
        == 0
    {
        std::thread::yield_now();
    }
    std::fs::remove_dir_all(&cache).unwrap();
    let mut stdin = stdin;
    std::io::Write::write_all(&mut stdin, b"content").unwrap();
    drop(stdin);
    let ran = Ran::from_output("backup --stdin", child.wait_with_output().unwrap()).ok();
    assert!(ran.json_message("summary")["snapshot_id"].is_string());
    vault.restic().check_read_data();
    assert_eq!(
        vault.run(&["dump", "latest", "/stdin"]).ok().stdout,
        b"content"
    );
}
