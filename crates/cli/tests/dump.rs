//! `strongroom dump`: what people reach for when nothing else of ours is at hand has to be complete.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod vault;

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use strongroom_testkit::{CompareOptions, Corpus, Part, Ran, assert_same_trees, strongroom};
use vault::Vault;

fn grown() -> (Vault, std::path::PathBuf) {
    let vault = Vault::new(strongroom!());
    let tree = vault.path("tree");
    Corpus::new(7)
        .without(Part::BeyondRestic)
        .grow(&tree)
        .unwrap();
    vault.run(&["backup", "tree"]).ok();
    (vault, tree)
}

/// Unpacks with the system's own tool.
fn unpack(program: &str, args: &[&str], target: &Path) {
    std::fs::create_dir_all(target).unwrap();
    Ran::run(Command::new(program).args(args).current_dir(target), &[]).ok();
}

#[test]
fn t27_gnu_tar_restores_every_kind_of_entry_from_a_dump() {
    let (vault, tree) = grown();
    let _socket = UnixListener::bind(tree.join("socket")).unwrap();
    vault.run(&["backup", "tree"]).ok();
    let archive = vault.path("dump.tar");
    let ran = vault.run(&[
        "dump",
        "latest",
        "/tree",
        "--target",
        archive.to_str().unwrap(),
    ]);
    // What tar cannot hold (sockets) is named, and the exit code tells.
    let ran = ran.expect_code(20);
    assert!(ran.stderr_text().contains("tar has no sockets"), "{ran}");
    let target = vault.path("target");
    let archive = archive.to_str().unwrap();
    unpack(
        "tar",
        &["--xattrs", "--xattrs-include=*", "-xpf", archive],
        &target,
    );
    let options = CompareOptions {
        root: false,
        sockets: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&tree, &target.join("tree"), &options);
}

#[test]
fn a_file_comes_as_it_is_and_bytes_agree_with_restic() {
    let (vault, tree) = grown();
    let name = std::fs::read_dir(tree.join("large"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let path = format!("/tree/large/{}", name.to_str().unwrap());
    let dumped = vault.run(&["dump", "latest", &path]).ok().stdout;
    assert_eq!(
        dumped,
        std::fs::read(tree.join("large").join(&name)).unwrap()
    );
    assert_eq!(
        dumped,
        vault.restic().run(["dump", "latest", &path]).ok().stdout
    );
}

#[test]
fn a_zip_holds_files_folders_and_links() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let archive = vault.path("dump.zip");
    vault
        .run(&[
            "dump",
            "-a",
            "zip",
            "-t",
            archive.to_str().unwrap(),
            "latest",
            "/",
        ])
        .ok();
    let list = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n\
        for n in z.namelist(): print(n, z.read(n))";
    let ran = Ran::run(
        Command::new("python3").args(["-c", list]).arg(&archive),
        &[],
    )
    .ok();
    let names = ran.stdout_text();
    for line in [
        "source/ b''",
        "source/one.txt b'one\\n'",
        "source/link b'one.txt'",
        "source/folder/two.txt b'two two\\n'",
    ] {
        assert!(names.contains(line), "{line} is missing in {names}");
    }
}

#[test]
fn what_cannot_be_dumped_is_said() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let missing = vault
        .run(&["dump", "latest", "/source/nothing"])
        .expect_code(1);
    assert!(missing.stderr_text().contains("nothing"), "{missing}");
    vault
        .run(&["dump", "latest", "/source/link"])
        .expect_code(1);
    let existing = vault.path("existing");
    std::fs::write(&existing, "precious").unwrap();
    vault
        .run(&[
            "dump",
            "-t",
            existing.to_str().unwrap(),
            "latest",
            "/source",
        ])
        .expect_code(1);
    assert_eq!(std::fs::read(&existing).unwrap(), b"precious");
    // A path in the reference and one behind it.
    assert_eq!(
        vault
            .run(&["dump", "latest:/source/folder", "two.txt"])
            .ok()
            .stdout,
        b"two two\n"
    );
}

/// An archive that misses a file must not look whole: no end of the archive, no file under the final name, exit 21.
#[test]
fn t28_damage_leaves_no_archive_that_looks_whole() {
    let (vault, _) = grown();
    let largest = largest_pack(&vault.path("vault/data"));
    std::fs::remove_file(largest).unwrap();
    let target = vault.path("dump.tar");
    vault
        .run(&["dump", "-t", target.to_str().unwrap(), "latest", "/tree"])
        .expect_code(21);
    assert!(!target.exists() && !vault.path("dump.tar.part").exists());
    let piped = vault
        .run(&["dump", "latest", "/tree"])
        .expect_code(21)
        .stdout;
    assert!(!piped.ends_with(&[0; 1024]), "the archive has an end");
}

#[test]
fn a_reader_that_goes_away_is_no_error_to_shout_about() {
    let (vault, _) = grown();
    let mut child = vault
        .program
        .command(["dump", "latest", "/tree"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn largest_pack(data: &Path) -> std::path::PathBuf {
    let folders = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packs = folders
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path());
    packs
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap()
}
