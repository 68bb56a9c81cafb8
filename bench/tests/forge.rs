//! The forged repository stands for a real one. If restic or we took it for something else, the phases on it would measure nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_bench::corpus::files_below;
use strongroom_bench::forge::Forge;
use strongroom_bench::tools::PASSWORD;
use strongroom_repository::format::BlobKind;

const BLOBS: u64 = 100_000;

fn restic(repository: &Path, words: &[&str]) -> String {
    let output = Command::new("restic")
        .args(["--no-cache", "--no-lock"])
        .args(words)
        .env("RESTIC_REPOSITORY", repository)
        .env("RESTIC_PASSWORD", PASSWORD)
        .output()
        .expect("restic runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "restic {words:?}: {out}{err}");
    out.into_owned()
}

/// A folder with a repository in it that has one snapshot, made by restic.
fn begun(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), "content").unwrap();
    let repository = folder.join("repository");
    restic(&repository, &["init"]);
    restic(
        &repository,
        &["backup", folder.join("file").to_str().unwrap()],
    );
    folder
}

#[test]
fn restic_and_we_use_the_index_of_a_forged_repository() {
    let folder = &begun("forge-blobs");
    let repository = folder.join("repository");
    let real = restic(&repository, &["list", "blobs"]).lines().count();
    Forge::open(&repository, 1)
        .unwrap()
        .add_blobs(&repository, BLOBS)
        .unwrap();

    let blobs = restic(&repository, &["list", "blobs"]);
    assert_eq!(blobs.lines().count() - real, BLOBS as usize);
    // The listing agrees with the index: no pack is missing, none has another length.
    let check = restic(&repository, &["check"]);
    assert!(check.contains("no errors were found"), "{check}");

    let index = Forge::open(&repository, 1).unwrap().index().unwrap();
    assert_eq!(index.len(BlobKind::Data), BLOBS as usize + 1);
    let packs = files_below(&repository.join("data")).unwrap();
    assert_eq!(packs.len(), index.packs().len());
}

#[test]
fn forged_snapshots_are_listed() {
    let folder = &begun("forge-snapshots");
    let repository = folder.join("repository");
    Forge::open(&repository, 1)
        .unwrap()
        .add_snapshots(30)
        .unwrap();
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&restic(&repository, &["snapshots", "--json"])).unwrap();
    assert_eq!(listed.len(), 31);
    let times: std::collections::BTreeSet<_> = listed
        .iter()
        .map(|one| one["time"].as_str().unwrap())
        .collect();
    assert_eq!(times.len(), 31, "each has a time of its own");
}
