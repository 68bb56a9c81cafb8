//! What we back up, the real restic can check and restore; and both cut and name the same things the same way, so that
//! they deduplicate against each other. If not, a repository would be readable by us alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use strongroom_repository::Repository;
use strongroom_storage::LocalStorage;
use strongroom_testkit::engine::{PASSWORD, new_repository, open_repository};
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{CompareOptions, Corpus, Part, Restic, assert_same_trees};

async fn new_at(path: &Path) -> Repository {
    new_repository(Arc::new(LocalStorage::new(path))).await
}

/// What restic can restore: no sockets, and nothing of the folder that a snapshot is restored from.
fn as_restic_restores() -> CompareOptions {
    CompareOptions {
        root: false,
        sockets: false,
        ..CompareOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_checks_and_restores_what_we_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, repository, target) = (
        dir.path().join("tree"),
        dir.path().join("repository"),
        dir.path().join("target"),
    );
    Corpus::new(1)
        .without(Part::BeyondRestic)
        .grow(&tree)
        .unwrap();
    let report = backup(&new_at(&repository).await, &tree, None).await;
    assert_eq!(report.figures.errors, 0);
    let restic = Restic::new(&repository, PASSWORD);
    restic.check_read_data();
    restic.restore_folder("latest", &tree, &target);
    assert_same_trees(&tree, &target, &as_restic_restores());
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_adds_next_to_nothing_to_what_we_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, path) = (dir.path().join("tree"), dir.path().join("repository"));
    Corpus::new(2).grow(&tree).unwrap();
    let ours = backup(&new_at(&path).await, &tree, None).await;
    let restic = Restic::new(&path, PASSWORD);
    let summary = restic.backup_with(["--force"], &[&tree]);
    assert_eq!(
        summary["data_blobs"],
        Value::from(0),
        "restic cuts elsewhere: {summary}"
    );
    // Sockets are in our trees alone.
    assert!(
        summary["tree_blobs"].as_u64().unwrap() <= 8,
        "trees differ: {summary}"
    );
    assert_eq!(
        summary["total_files_processed"].as_u64().unwrap(),
        ours.figures.files()
    );
    assert_eq!(
        summary["total_bytes_processed"].as_u64().unwrap(),
        ours.figures.bytes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn we_add_next_to_nothing_to_what_restic_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, path) = (dir.path().join("tree"), dir.path().join("repository"));
    Corpus::new(3).grow(&tree).unwrap();
    let restic = Restic::new(&path, PASSWORD);
    restic.init();
    restic.backup(&[&tree]);
    let repository = open_repository(Arc::new(LocalStorage::new(&path))).await;
    let report = backup(&repository, &tree, None).await;
    assert_eq!(report.written.data_blobs, 0, "we cut elsewhere");
    assert!(
        report.written.tree_blobs <= 8,
        "{} trees differ",
        report.written.tree_blobs
    );
    restic.check_read_data();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_tree_is_not_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, path) = (dir.path().join("tree"), dir.path().join("repository"));
    Corpus::new(4).grow(&tree).unwrap();
    let repository = new_at(&path).await;
    let first = backup(&repository, &tree, None).await;
    let second = backup(&repository, &tree, first.snapshot_id).await;
    assert_eq!(second.figures.files_unmodified, first.figures.files());
    assert_eq!(second.written.data_blobs, 0);
    // The folders above the tree are others' too and may change meanwhile; below it nothing does.
    let above = tree.components().count() as u64 - 1;
    assert!(second.figures.dirs_changed < above && second.written.tree_blobs < above);
}
