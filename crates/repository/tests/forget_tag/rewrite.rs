//! Rewriting: every snapshot is there in its old or its new form at any moment, and what is left out may be damaged.

use std::path::Path;
use std::sync::Arc;

use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::progress::Silent;
use strongroom_repository::rewrite::{RewriteOptions, RewritePlan, plan_rewrite};
use strongroom_repository::snapshots::{SnapshotFile, SnapshotFilter, select_all};
use strongroom_repository::walk::{Located, locate};
use strongroom_repository::{ErrorKind, FileKind, Repository, Result};
use strongroom_storage::{ErrorKind as StorageKind, MemoryStorage, Operation, Retry};
use strongroom_testkit::engine::new_repository;
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{Asked, Fault, FaultyStorage, RecordingStorage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::scene::{exclusive, now};

fn without(patterns: &[&str]) -> RewriteOptions {
    let none: [&str; 0] = [];
    RewriteOptions {
        exclude: PatternSet::parse(patterns, none).unwrap(),
        drop: "xattrs,owners,inodes,atimes".parse().unwrap(),
        new_host: None,
        new_time: None,
        snapshot_summary: false,
        forget: true,
    }
}

async fn plan(repository: &Repository, options: RewriteOptions) -> Result<RewritePlan> {
    let (all, _) = select_all(repository, &SnapshotFilter::default(), &Silent).await?;
    let cancel = CancellationToken::new();
    plan_rewrite(repository, all, options, now(), &Silent, &cancel).await
}

/// Two snapshots of one source, which has `keep`, `secret/…` and `deep/er/{a,secret}`.
async fn scene() -> (TempDir, MemoryStorage, Repository) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("keep", "kept");
    write("secret/one", "1");
    write("secret/folder/two", "22");
    write("deep/er/a", "a");
    write("deep/er/secret", "333");
    write("same/file", "same");
    let storage = MemoryStorage::new();
    let repository = new_repository(Arc::new(storage.clone())).await;
    backup(&repository, dir.path(), None).await;
    write("keep", "kept, changed");
    backup(&repository, dir.path(), None).await;
    (dir, storage, repository)
}

async fn all(repository: &Repository) -> Vec<SnapshotFile> {
    repository.load_snapshots(&Silent).await.unwrap()
}

async fn has(repository: &Repository, root: &Id, path: &Path, name: &str) -> bool {
    let index = repository.load_index(&Silent).await.unwrap();
    let path = path.join(name);
    let found = locate(repository, &index, *root, path.to_str().unwrap().as_bytes()).await;
    match found {
        Ok(Located::Directory { .. } | Located::Other(_)) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_counted_and_gone_and_the_rest_is_there() {
    let (dir, _, repository) = scene().await;
    let plan = plan(&repository, without(&["secret"])).await.unwrap();
    assert_eq!((plan.changes.len(), plan.unchanged.len()), (2, 0));
    for change in &plan.changes {
        let removed = change.removed;
        assert_eq!((removed.files, removed.bytes, removed.others), (3, 6, 2));
        assert!(change.stripped > 0);
    }
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    let report = plan.execute(&repository, &lock, &Silent, &cancel).await;
    assert_eq!(report.unwrap().renamed.len(), 2);
    let after = all(&repository).await;
    assert_eq!(after.len(), 2);
    for file in &after {
        let root = &file.snapshot.tree;
        for (name, is_there) in [
            ("keep", true),
            ("same/file", true),
            ("deep/er/a", true),
            ("deep/er/secret", false),
            ("secret", false),
        ] {
            assert_eq!(has(&repository, root, dir.path(), name).await, is_there);
        }
    }
    // A second time there is nothing to do.
    let again = crate::rewrite::plan(&repository, without(&["secret"])).await;
    assert_eq!(again.unwrap().changes.len(), 0);
}

/// Killed after any call, each snapshot is there in its old or its new form, and whole.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_call_no_snapshot_is_gone() {
    let (_dir, storage, repository) = scene().await;
    let old: Vec<Id> = all(&repository).await.iter().map(|file| file.id).collect();
    let mut calls = 0;
    loop {
        let left = storage.fork();
        let at = repository.with_storage(Arc::new(left.clone()));
        let plan = plan(&at, without(&["secret"])).await.unwrap();
        let lock = exclusive(&at).await;
        let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
        let dying = repository.with_storage(Arc::new(faulty));
        let cancel = CancellationToken::new();
        let done = plan.execute(&dying, &lock, &Silent, &cancel).await.is_ok();
        let now = all(&at).await;
        for (number, id) in old.iter().enumerate() {
            let new = &plan.changes[number].new;
            let is_there = now
                .iter()
                .any(|file| file.id == *id || file.snapshot == *new);
            assert!(is_there, "killed after {calls} calls");
        }
        // All of them can be read to the last directory: a plan does.
        let again = crate::rewrite::plan(&at, without(&["secret"])).await;
        again.unwrap();
        if done {
            break;
        }
        calls += 1;
    }
    assert!(calls > 5, "{calls}");
}

/// The old ones go only when the storage has the new ones, whatever it said when they were written.
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_storage_that_loses_or_cuts_off_what_is_written_costs_no_snapshot() {
    let (_dir, storage, repository) = scene().await;
    let old: Vec<Id> = all(&repository).await.iter().map(|file| file.id).collect();
    let is_write = |asked: &Asked| {
        let folders = ["data", "index", "snapshots"];
        folders
            .iter()
            .any(|folder| asked.is(Operation::Write, folder))
    };
    for fault in [Fault::Lose, Fault::Truncate(40), Fault::Flip(40)] {
        for nth in 0..5 {
            let left = storage.fork();
            let at = repository.with_storage(Arc::new(left.clone()));
            let plan = plan(&at, without(&["secret"])).await.unwrap();
            let lock = exclusive(&at).await;
            let faulty = FaultyStorage::nth(Arc::new(left.clone()), nth, is_write, fault);
            let lying = repository.with_storage(Arc::new(faulty));
            let cancel = CancellationToken::new();
            let done = plan.execute(&lying, &lock, &Silent, &cancel).await.is_ok();
            let (there, _) = at.load_snapshots_tolerant(&Silent).await.unwrap();
            if done {
                // Nothing was hit: four writes are all.
                assert_eq!((nth, there.len()), (4, 2), "{fault:?}");
                crate::rewrite::plan(&at, without(&["secret"]))
                    .await
                    .unwrap();
            } else {
                let is_there = |id: &Id| there.iter().any(|file| file.id == *id);
                assert!(old.iter().all(is_there), "{fault:?} at write {nth}");
            }
        }
    }
}

/// Trees that do not change are neither stored nor read twice, however many snapshots have them.
#[tokio::test(flavor = "multi_thread")]
async fn what_snapshots_have_in_common_is_done_once() {
    let (_dir, storage, repository) = scene().await;
    let recording = Arc::new(RecordingStorage::new(Arc::new(storage)));
    let recorded = repository.with_storage(Arc::<RecordingStorage>::clone(&recording));
    let options = RewriteOptions {
        drop: Default::default(),
        ..without(&["/nowhere"])
    };
    let plan = plan(&recorded, options).await.unwrap();
    assert!(plan.changes.is_empty());
    assert_eq!(recording.count(Operation::Write, ""), 0);
    let index = repository.load_index(&Silent).await.unwrap();
    let trees = index.len(BlobKind::Tree);
    // Each tree once; those on the way to what differs twice.
    assert!(recording.count(Operation::Read, "data") <= trees);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_stops_a_rewrite_before_it_changes_anything() {
    let (_dir, storage, repository) = scene().await;
    let before = all(&repository).await;
    let unreadable = FaultyStorage::every(
        Arc::new(storage),
        |asked| asked.is(Operation::Read, "data"),
        Fault::Fail(StorageKind::Io, Retry::Never),
    );
    let damaged = repository.with_storage(Arc::new(unreadable));
    let refused = plan(&damaged, without(&["secret"])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
    assert_eq!(all(&repository).await, before);
    let kept = without(&["secret"]);
    let nothing = RewriteOptions {
        exclude: PatternSet::parse([""; 0], [""; 0]).unwrap(),
        drop: Default::default(),
        ..kept
    };
    let invalid = plan(&repository, nothing).await.unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::Invalid);
}

/// A pin that a rewrite goes round is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_snapshot_is_not_removed_for_a_rewritten_one() {
    let (_dir, _, repository) = scene().await;
    for file in all(&repository).await {
        let mut pinned = file.snapshot.clone();
        pinned.tags = vec!["pinned".into()];
        let kind = FileKind::Snapshot;
        repository.save_file(kind, pinned.encode()).await.unwrap();
        repository.delete_file(kind, &file.id).await.unwrap();
    }
    let refused = plan(&repository, without(&["secret"])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let beside = RewriteOptions {
        forget: false,
        ..without(&["secret"])
    };
    assert_eq!(plan(&repository, beside).await.unwrap().changes.len(), 2);
}
