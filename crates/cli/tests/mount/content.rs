//! What is seen is what was backed up.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use strongroom_testkit::{
    CompareOptions, Corpus, Part, Ran, Random, assert_same_trees, strongroom,
};

use crate::mounted::Mounted;
use crate::vault::Vault;

fn everything() -> CompareOptions {
    CompareOptions {
        // The folder above the one that was backed up is not in the snapshot.
        root: true,
        ..CompareOptions::default()
    }
}

#[test]
fn every_kind_of_entry_is_shown_to_the_last_attribute() {
    let vault = Vault::new(strongroom!());
    let tree = vault.path("tree");
    let grown = Corpus::new(41).grow(&tree).unwrap();
    assert!(grown.left_out.is_empty(), "{:?}", grown.left_out);
    vault.run(&["backup", "tree"]).ok();
    let mounted = Mounted::start(&vault, &[]);
    let shown = mounted.path("snapshots/latest/tree");
    assert_same_trees(&tree, &shown, &everything());
    // A second look comes from the kernel and from the caches.
    assert_same_trees(&tree, &shown, &everything());
    let told = mounted.signal("-INT").ok();
    assert!(!told.stderr_text().contains("warning"), "{told}");
}

/// restic's own repository, and restic's own idea of it.
#[test]
fn a_repository_of_restic_is_shown() {
    let vault = Vault::new(strongroom!());
    let tree = vault.path("tree");
    Corpus::small(42)
        .without(Part::BeyondRestic)
        .grow(&tree)
        .unwrap();
    vault.restic().backup(&[&tree]);
    let mounted = Mounted::start(&vault, &[]);
    let latest = mounted.path("snapshots/latest");
    let shown = latest.join(tree.strip_prefix("/").unwrap());
    assert_same_trees(&tree, &shown, &everything());
}

/// Ranges at random places of a file of many blobs, through one handle and through new ones.
#[test]
fn ranges_of_a_large_file_are_those_of_the_source() {
    const SEED: u64 = 43;
    const FILE_BYTES: usize = 40 << 20;
    let vault = Vault::new(strongroom!());
    let mut random = Random::new(SEED);
    let content = random.bytes(FILE_BYTES);
    std::fs::write(vault.path("source/large"), &content).unwrap();
    vault.backup();
    // Less memory than the file has, so that blobs are thrown out and come again.
    let mounted = Mounted::start(&vault, &["--cache-memory", "16M"]);
    let path = mounted.path("snapshots/latest/source/large");
    let held = File::open(&path).unwrap();
    for _ in 0..200 {
        let offset = random.below(FILE_BYTES as u64 + 4096);
        let length = random.below(400_000);
        let (from, to) = (
            offset.min(FILE_BYTES as u64),
            (offset + length).min(FILE_BYTES as u64),
        );
        let mut read = vec![0; usize::try_from(length).unwrap()];
        let new = File::open(&path).unwrap();
        let file = if length.is_multiple_of(2) {
            &held
        } else {
            &new
        };
        let mut filled = 0;
        while let count @ 1.. = file
            .read_at(&mut read[filled..], offset + filled as u64)
            .unwrap()
        {
            filled += count;
        }
        read.truncate(filled);
        let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
        assert!(read == content[from..to], "seed {SEED}: {offset}+{length}");
    }
    assert!(std::fs::read(&path).unwrap() == content);
}

#[test]
fn everyday_tools_find_their_way() {
    let vault = Vault::new(strongroom!());
    let many = vault.path("source/many");
    std::fs::create_dir(&many).unwrap();
    for number in 0..5000 {
        std::fs::write(
            many.join(format!("{number}.txt")),
            format!("line {number}\n"),
        )
        .unwrap();
    }
    vault.backup();
    let mounted = Mounted::start(&vault, &[]);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let command = command.args(arguments).current_dir(&mounted.folder);
        Ran::run(command, b"").ok().stdout_text()
    };
    // More names than the kernel asks for at once.
    let listed = run("ls", &["-U", "snapshots/latest/source/many"]);
    let mut listed: Vec<&str> = listed.lines().collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), 5000);
    let found = run("find", &["snapshots/", "-name", "4999.txt", "-size", "10c"]);
    assert_eq!(found.lines().count(), 1, "{found}");
    let found = run("grep", &["-rl", "^line 777$", "snapshots/latest/source"]);
    assert_eq!(found, "snapshots/latest/source/many/777.txt\n");
    run(
        "diff",
        &["-r", many.to_str().unwrap(), "snapshots/latest/source/many"],
    );
    let size = run(
        "du",
        &[
            "-s",
            "--apparent-size",
            "--block-size=1",
            "snapshots/latest/source/many",
        ],
    );
    assert!(size.starts_with(char::is_numeric));
}

#[test]
fn numbers_of_files_stay_and_links_share_one() {
    let vault = Vault::new(strongroom!());
    std::fs::hard_link(
        vault.path("source/one.txt"),
        vault.path("source/folder/again"),
    )
    .unwrap();
    vault.backup();
    let mounted = Mounted::start(&vault, &[]);
    let source = mounted.path("snapshots/latest/source");
    let number = |name: &str| source.join(name).metadata().unwrap().ino();
    let one = number("one.txt");
    assert_eq!(one, number("folder/again"));
    assert_ne!(one, number("folder/two.txt"));
    // The kernel is made to forget what it knows.
    drop_caches();
    assert_eq!(one, number("folder/again"));
    assert_eq!(one, number("one.txt"));
}

fn drop_caches() {
    std::fs::write("/proc/sys/vm/drop_caches", "2").unwrap();
}

#[test]
fn nothing_can_be_changed() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let mounted = Mounted::start(&vault, &[]);
    let source = mounted.path("snapshots/latest/source");
    let refused = |result: std::io::Result<()>| {
        assert_eq!(
            result.unwrap_err().kind(),
            std::io::ErrorKind::ReadOnlyFilesystem
        );
    };
    refused(std::fs::write(source.join("new"), ""));
    refused(std::fs::write(source.join("one.txt"), "other"));
    refused(std::fs::remove_file(source.join("one.txt")));
    refused(std::fs::create_dir(mounted.path("tags/new")));
    refused(std::fs::rename(source.join("one.txt"), source.join("1")));
}

#[test]
fn owners_are_root_where_asked() {
    let vault = Vault::new(strongroom!());
    let file = vault.path("source/one.txt");
    std::os::unix::fs::chown(&file, Some(4711), Some(4712)).unwrap();
    vault.backup();
    let owner = |path: &Path| {
        let metadata = path.metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    let shown = "snapshots/latest/source/one.txt";
    let mounted = Mounted::start(&vault, &[]);
    assert_eq!(owner(&mounted.path(shown)), (4711, 4712));
    mounted.signal("-TERM").ok();
    let mounted = Mounted::start(&vault, &["--owner-root"]);
    assert_eq!(owner(&mounted.path(shown)), (0, 0));
}
