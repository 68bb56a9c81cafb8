//! What an older program wrote is read by this one, for ever. `testdata/` holds a repository of every release of ours, and of
//! several of restic's, with a manifest of what was backed up. If one of these tests fails, somebody's old backups are lost.
//!
//! `scripts/make-testdata` adds a folder; what is there never changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod manifest;
mod restored;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use manifest::{Manifest, Snapshot};
use strongroom_testkit::{Restic, Strongroom, strongroom};

macro_rules! repositories {
    ($($test:ident: $name:literal),* $(,)?) => {
        const LIST: &[&str] = &[$($name),*];
        $(#[test]
        fn $test() {
            every_snapshot_comes_back($name);
        })*
    };
}

repositories! {
    restic_0_11_0_v1: "restic-0.11.0/v1",
    restic_0_14_0_v1: "restic-0.14.0/v1",
    restic_0_14_0_v2: "restic-0.14.0/v2",
    restic_0_18_0_v1: "restic-0.18.0/v1",
    restic_0_18_0_v2: "restic-0.18.0/v2",
    restic_0_18_0_nasty_v1: "restic-0.18.0-nasty/v1",
    restic_0_18_0_nasty_v2: "restic-0.18.0-nasty/v2",
    restic_0_19_1_v1: "restic-0.19.1/v1",
    restic_0_19_1_v2: "restic-0.19.1/v2",
    strongroom_0_1_0_v1: "strongroom-0.1.0/v1",
    strongroom_0_1_0_v2: "strongroom-0.1.0/v2",
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program in a home with a copy of the repository, `./vault`: reading leaves a lock for a moment.
fn program_with(name: &str) -> Strongroom {
    let program = strongroom!()
        .repository("./vault")
        .password("fixture")
        .env("TZ", "UTC");
    copy(
        &root().join("testdata").join(name),
        &program.home().join("vault"),
    );
    program
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn every_snapshot_comes_back(name: &str) {
    let manifest = Manifest::read(&root().join("testdata").join(format!("{name}.manifest")));
    let program = program_with(name);
    program
        .run(["check", "--read-data", "--no-cache", "--no-lock"])
        .ok();
    // The other commands use the first key.
    let mut listing = program.command(["snapshots", "--json", "--no-cache"]);
    listing.env("STRONGROOM_PASSWORD", manifest.passwords.last().unwrap());
    let listed = strongroom_testkit::Ran::run(&mut listing, b"").ok();
    assert_eq!(manifest.headings_in(&listed.json()), manifest.headings());
    restore_all(&program, &manifest.snapshots, "first");

    // It goes on being used: what this program adds and removes harms nothing of the old.
    program.run(["unlock", "--remove-all", "--yes"]).ok();
    fs::create_dir(program.home().join("more")).unwrap();
    fs::write(program.home().join("more/file"), b"added later").unwrap();
    program.run(["backup", "more"]).ok();
    program.run(["prune", "--max-unused", "0", "--yes"]).ok();
    program.run(["check", "--read-data"]).ok();
    // The second was compared with a parent, and a prune has been at its packs.
    restore_all(&program, &manifest.snapshots[1..2], "again");
    if name.starts_with("strongroom") {
        Restic::new(program.home().join("vault"), "fixture").check_read_data();
    }
}

fn restore_all(program: &Strongroom, snapshots: &[Snapshot], under: &str) {
    for snapshot in snapshots {
        let target = program
            .home()
            .join(under)
            .join(snapshot.id.get(..8).unwrap());
        let mut restoring = program.command(["restore", &snapshot.id, "--no-cache", "--target"]);
        restoring.arg(&target);
        strongroom_testkit::Ran::run(&mut restoring, b"").ok();
        restored::assert_holds(&target, snapshot);
    }
}

/// A folder of repositories that no test reads would rot unseen.
#[test]
fn every_repository_of_testdata_is_in_the_list() {
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(root().join("testdata")).unwrap() {
        let folder = folder.unwrap();
        if !folder.file_type().unwrap().is_dir() {
            continue;
        }
        let release = folder.file_name().into_string().unwrap();
        let before = found.len();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.path().join("config").exists() {
                let repository = entry.file_name().into_string().unwrap();
                found.insert(format!("{release}/{repository}"));
            }
        }
        assert!(
            found.len() > before,
            "testdata/{release} holds no repository"
        );
    }
    assert_eq!(found, LIST.iter().map(|name| (*name).to_owned()).collect());
}

/// Every release of ours in `changelog/`, and the version that is being built, has a folder with both versions of the format.
#[test]
fn every_release_of_ours_has_a_folder() {
    let mut releases = BTreeSet::from([env!("CARGO_PKG_VERSION").to_owned()]);
    for entry in fs::read_dir(root().join("changelog")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "unreleased" {
            // A folder is named `0.2.0` or `0.2.0_2027-01-31`.
            releases.insert(name.split('_').next().unwrap().to_owned());
        }
    }
    for release in releases {
        for version in ["v1", "v2"] {
            let name = format!("strongroom-{release}/{version}");
            assert!(
                LIST.contains(&name.as_str()),
                "no {name}: run scripts/make-testdata strongroom-{release} with that release, and add it to the list"
            );
        }
    }
}

/// The manifests of a restored tree are worth nothing if the comparison sees nothing.
#[test]
fn a_difference_is_seen() {
    let manifest = Manifest::read(&root().join("testdata/strongroom-0.1.0/v2.manifest"));
    let program = program_with("strongroom-0.1.0/v2");
    let snapshot = &manifest.snapshots[0];
    let target = program.home().join("out");
    let mut restoring = program.command(["restore", &snapshot.id, "--no-cache", "--target"]);
    restoring.arg(&target);
    strongroom_testkit::Ran::run(&mut restoring, b"").ok();
    assert_eq!(
        restored::differences(&target, snapshot),
        Vec::<String>::new()
    );
    fs::write(target.join("tree/plain"), b"plain CONTENT\n").unwrap();
    fs::remove_file(target.join("tree/empty")).unwrap();
    fs::write(target.join("tree/surplus"), b"").unwrap();
    let found = restored::differences(&target, snapshot);
    for path in ["tree/plain", "tree/empty", "tree/surplus"] {
        assert!(
            found.iter().any(|line| line.contains(path)),
            "{path}: {found:?}"
        );
    }
}
