//! Copies between repositories of restic's and of ours: nothing is lost, nothing is sent twice, and both programs know
//! what has been copied.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::copy::{CopyPlan, CopyReport};
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::{ErrorKind, FileKind, Repository, Result};
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::engine::{PASSWORD, new_repository, open_repository};
use strongroom_testkit::{CompareOptions, RecordingStorage, assert_same_trees};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, locks, on_disk, overwrite};

async fn plan(source: &Repository, destination: &Repository) -> Result<CopyPlan> {
    let snapshots = source.load_snapshots(&Silent).await?;
    destination
        .plan_copy(source, snapshots, &Silent, &CancellationToken::new())
        .await
}

async fn copy(source: &Repository, destination: &Repository) -> Result<CopyReport> {
    let cancel = CancellationToken::new();
    let lock = destination.lock(Access::Append, &locks(), &cancel).await?;
    let result = match plan(source, destination).await {
        Ok(plan) => {
            destination
                .copy(source, plan, &lock, &Silent, &cancel)
                .await
        }
        Err(error) => Err(error),
    };
    let _ = lock.release().await;
    result
}

/// The arguments that let restic copy from a fixture's repository.
fn from(fixture: &Fixture) -> std::path::PathBuf {
    let password = fixture.dir.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    password
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_checks_and_restores_our_copy_and_knows_that_it_is_one() {
    for version in [1, 2] {
        let (fixture, ids) = Fixture::two_snapshots(version);
        let target = MemoryStorage::new();
        let destination = new_repository(Arc::new(target.clone())).await;
        let source = fixture.open().await;
        let planned = plan(&source, &destination).await.unwrap();
        assert!(!planned.has_same_chunker());
        let figures = *planned.figures();
        assert_eq!(
            (figures.data_blobs + figures.tree_blobs) as usize,
            fixture.restic.list("blobs").len()
        );
        let report = copy(&source, &destination).await.unwrap();
        assert_eq!(
            report
                .snapshots
                .iter()
                .map(|copied| copied.source.to_hex())
                .collect::<Vec<_>>(),
            ids
        );
        assert_eq!(report.written.data_blobs, figures.data_blobs);
        assert_eq!(report.written.tree_blobs, figures.tree_blobs);
        assert_eq!(report.written.plain_bytes, figures.plain_bytes);
        let (dir, restic) = on_disk(&target).await;
        restic.check_read_data();
        let restored = dir.path().join("restored");
        restic.restore_folder("latest", &fixture.source(), &restored);
        let options = CompareOptions {
            root: false,
            ..CompareOptions::default()
        };
        assert_same_trees(&fixture.source(), &restored, &options);
        for (theirs, ours) in fixture.restic.snapshots().iter().zip(restic.snapshots()) {
            assert_eq!(theirs["id"], ours["original"]);
            for field in ["time", "tree", "paths", "hostname", "username"] {
                assert_eq!(theirs[field], ours[field]);
            }
            assert_eq!(ours.get("parent"), None);
        }
        // restic finds nothing to copy, and neither do we.
        let (password, path) = (from(&fixture), fixture.path());
        let args = [
            "copy",
            "--from-repo",
            path.to_str().unwrap(),
            "--from-password-file",
        ];
        let ran = restic
            .run(args.into_iter().chain([password.to_str().unwrap()]))
            .ok();
        assert_eq!(restic.snapshot_ids().len(), 2, "restic copied again: {ran}");
        let again = copy(&source, &destination).await.unwrap();
        assert!(again.snapshots.is_empty());
        assert_eq!(
            plan(&source, &destination).await.unwrap().skipped().len(),
            2
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn we_know_what_restic_copied_and_send_the_difference_alone() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let dir = tempfile::tempdir().unwrap();
    let restic = strongroom_testkit::Restic::new(dir.path().join("copy"), PASSWORD);
    let password = from(&fixture);
    let path = fixture.path();
    let secondary = [
        "--from-repo",
        path.to_str().unwrap(),
        "--from-password-file",
        password.to_str().unwrap(),
    ];
    restic
        .run(
            ["init", "--copy-chunker-params"]
                .into_iter()
                .chain(secondary),
        )
        .ok();
    restic.run(["copy"].into_iter().chain(secondary)).ok();
    fixture.write("third", 6, 500_000);
    let third = fixture.backup();
    let source = fixture.open().await;
    let storage: Arc<dyn Storage> = Arc::new(strongroom_storage::LocalStorage::new(
        dir.path().join("copy"),
    ));
    let destination = open_repository(storage).await;
    let planned = plan(&source, &destination).await.unwrap();
    assert!(planned.has_same_chunker());
    assert_eq!(planned.skipped().len(), 2);
    assert_eq!(
        planned
            .snapshots()
            .iter()
            .map(|file| file.id.to_hex())
            .collect::<Vec<_>>(),
        [third]
    );
    assert!(planned.figures().known_blobs > 0);
    assert!(
        (500_000..600_000).contains(&planned.figures().plain_bytes),
        "{planned:?}"
    );
    copy(&source, &destination).await.unwrap();
    restic.check_read_data();
    assert_eq!(restic.snapshot_ids().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_copy_keeps_the_first_name() {
    let (fixture, ids) = Fixture::two_snapshots(2);
    let (second, third) = (MemoryStorage::new(), MemoryStorage::new());
    let second = new_repository(Arc::new(second)).await;
    let third = new_repository(Arc::new(third)).await;
    let first = fixture.open().await;
    copy(&first, &second).await.unwrap();
    copy(&second, &third).await.unwrap();
    let originals: Vec<String> = third
        .load_snapshots(&Silent)
        .await
        .unwrap()
        .iter()
        .map(|file| file.snapshot.original.unwrap().to_hex())
        .collect();
    assert_eq!(originals, ids);
    // Neither way round is anything copied once more.
    assert!(copy(&first, &third).await.unwrap().snapshots.is_empty());
    assert!(copy(&third, &second).await.unwrap().snapshots.is_empty());
    assert!(copy(&third, &first).await.unwrap().snapshots.is_empty());
}

/// Many small reads of a storage far away would take hours.
#[tokio::test(flavor = "multi_thread")]
async fn each_pack_of_data_is_read_once() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let packs = fixture.restic.list("packs").len();
    let calls = RecordingStorage::new(Arc::new(whole));
    let source = open_repository(Arc::new(calls.clone())).await;
    let destination = new_repository(Arc::new(MemoryStorage::new())).await;
    let planned = plan(&source, &destination).await.unwrap();
    calls.take();
    let lock = destination
        .lock(Access::Append, &locks(), &CancellationToken::new())
        .await
        .unwrap();
    let bytes = planned.figures().stored_bytes;
    destination
        .copy(&source, planned, &lock, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(calls.count(Operation::Read, "data"), packs);
    assert_eq!(calls.bytes(Operation::Read, "data"), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_source_is_not_copied() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    for path in files(&whole, "data").await {
        let damaged = whole.fork();
        overwrite(&damaged, &path, |content| content[40] ^= 1).await;
        let source = open_repository(Arc::new(damaged)).await;
        let destination = new_repository(Arc::new(MemoryStorage::new())).await;
        assert_eq!(
            copy(&source, &destination).await.unwrap_err().kind(),
            ErrorKind::Damaged,
            "{path}"
        );
        assert_eq!(destination.list(FileKind::Snapshot).await.unwrap().len(), 0);
        assert_sound(
            &check(&destination, ReadData::All).await,
            "after a copy of damage",
        );
    }
}
