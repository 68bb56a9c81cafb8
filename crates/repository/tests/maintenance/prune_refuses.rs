//! A prune that cannot know what is needed, or whose premises are gone, removes nothing.

use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{Fault, FaultyStorage, RecordingStorage};

use crate::fixture::{
    Fixture, assert_sound, check, files, in_memory, overwrite, plan, prune, prune_plan,
};
use strongroom_repository::check::ReadData;

fn everything() -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        ..PruneOptions::default()
    }
}

/// A repository with data that nobody needs, in packs with data that is needed.
async fn with_unused() -> (Fixture, MemoryStorage) {
    let fixture = Fixture::two_snapshots(2).0;
    fixture.restic.run(["forget", "--keep-last", "1"]).ok();
    let whole = in_memory(&fixture.path()).await;
    (fixture, whole)
}

/// The ids of all packs that a snapshot needs something of.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_missing_or_damaged_nothing_is_removed() {
    let (_fixture, whole) = with_unused().await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let needed = plan(&repository, &everything()).await.unwrap();
    let unneeded: Vec<String> = needed.packs_to_remove().map(|id| id.to_hex()).collect();
    for folder in ["data", "index", "snapshots"] {
        for path in files(&whole, folder).await {
            for delete in [true, false] {
                if folder == "snapshots" && delete {
                    continue;
                }
                let damaged = whole.fork();
                if delete {
                    damaged.delete(&path).await.unwrap();
                } else {
                    overwrite(&damaged, &path, |content| {
                        content.truncate(content.len() - 1)
                    })
                    .await;
                }
                let calls = RecordingStorage::new(Arc::new(damaged));
                let result = prune(
                    &repository.with_storage(Arc::new(calls.clone())),
                    &everything(),
                )
                .await;
                let is_unneeded = unneeded.contains(&path.file_name().to_owned());
                match result {
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Damaged, "{path}: {error}");
                        assert_eq!(calls.count(Operation::Delete, "data"), 0, "{path}");
                        assert_eq!(calls.count(Operation::Delete, "index"), 0, "{path}");
                    }
                    Ok(_) => assert!(is_unneeded, "{path} was not missed"),
                }
            }
        }
    }
}

/// A blob that must be moved is damaged: the old pack is the last trace of it and must stay for a repair.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_blob_is_not_moved() {
    let (_fixture, whole) = with_unused().await;
    let sound = open_repository(Arc::new(whole.fork())).await;
    let mut aborted = 0;
    for path in files(&whole, "data").await {
        let damaged = whole.fork();
        overwrite(&damaged, &path, |content| {
            let places = (0..content.len() - 100).step_by(1000);
            places.for_each(|place| content[place] ^= 1);
        })
        .await;
        let is_needed = {
            let report = check(&sound.with_storage(Arc::new(damaged.fork())), ReadData::All).await;
            !report.affected.is_empty()
        };
        let calls = RecordingStorage::new(Arc::new(damaged.clone()));
        let result = prune(&sound.with_storage(Arc::new(calls.clone())), &everything()).await;
        assert_eq!(
            calls.count(Operation::Delete, "data") > 0,
            result.is_ok(),
            "{path}"
        );
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{path}: {error}");
            assert_eq!(calls.count(Operation::Delete, "index"), 0);
            aborted += 1;
        } else if is_needed {
            let kept = files(&damaged, "data").await.contains(&path);
            assert!(
                kept,
                "{path}: the last trace of what a snapshot needs was removed"
            );
        }
    }
    assert!(aborted >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_out_of_date_when_a_snapshot_comes_or_goes() {
    let (fixture, whole) = with_unused().await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let made = plan(&repository, &everything()).await.unwrap();
    fixture.write("new", 9, 100_000);
    fixture.backup();
    let newer = in_memory(&fixture.path()).await;
    let old = plan(&repository, &everything()).await.unwrap();
    // One for another, as a change of tags does it: there are as many as before.
    let swapped = whole.fork();
    let here = repository.with_storage(Arc::new(swapped.clone()));
    let made_here = plan(&here, &everything()).await.unwrap();
    let known = files(&swapped, "snapshots").await;
    for path in files(&newer, "snapshots").await {
        crate::fixture::copy_file(&newer, &swapped, &path).await;
    }
    for path in &known {
        swapped.delete(path).await.unwrap();
    }
    assert_eq!(files(&swapped, "snapshots").await.len(), known.len());
    assert_eq!(
        prune_plan(&here, made_here).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    for folder in ["data", "index", "snapshots"] {
        for path in files(&newer, folder).await {
            crate::fixture::copy_file(&newer, &whole, &path).await;
        }
    }
    assert_eq!(
        prune_plan(&repository, made).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    for path in files(&whole, "snapshots").await {
        whole.delete(&path).await.unwrap();
    }
    assert_eq!(
        prune_plan(&repository, old).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
}

/// Planned as if a snapshot were gone; carried out only when it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_forgotten_snapshots_needs_them_gone() {
    let (fixture, [first, _]) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let options = PruneOptions {
        forgotten: [first.parse().unwrap()].into(),
        ..everything()
    };
    let early = plan(&repository, &options).await.unwrap();
    assert!(early.figures().unused.blobs > 0);
    assert_eq!(
        prune_plan(&repository, early).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    let made = plan(&repository, &options).await.unwrap();
    whole
        .delete(&strongroom_storage::StoragePath::new(format!("snapshots/{first}")).unwrap())
        .await
        .unwrap();
    prune_plan(&repository, made).await.unwrap();
    assert_sound(&check(&repository, ReadData::All).await, "pruned");
}

/// A snapshot that appears while the prune moves blobs, written by somebody who does not honour locks: nothing that it
/// needs may go (story T-02).
#[tokio::test(flavor = "multi_thread")]
async fn t02_a_snapshot_that_appears_meanwhile_stops_the_prune() {
    let (fixture, [first, _]) = Fixture::two_snapshots(2);
    let before = in_memory(&fixture.path()).await;
    fixture.restic.run(["forget", "--keep-last", "1"]).ok();
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let snapshot = strongroom_storage::StoragePath::new(format!("snapshots/{first}")).unwrap();
    let content = before
        .read(&snapshot, None, strongroom_storage::Class::Metadata)
        .await
        .unwrap();
    // Right before the first new index file is written, the last moment at which the prune has not looked yet.
    for trigger in ["data", "index"] {
        let shown = whole.fork();
        let (inner, path, content) = (shown.clone(), snapshot.clone(), content.clone());
        let faulty = FaultyStorage::new(Arc::new(shown.clone()), move |asked| {
            if asked.is(Operation::Write, trigger) {
                use futures::FutureExt;
                let mode = strongroom_storage::WriteMode::Replace;
                let written = inner.write(
                    &path,
                    content.clone(),
                    mode,
                    strongroom_storage::Class::Metadata,
                );
                written.now_or_never().unwrap().unwrap();
            }
            Fault::None
        });
        let result = prune(&repository.with_storage(Arc::new(faulty)), &everything()).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused, "{trigger}");
        let report = check(&repository.with_storage(Arc::new(shown)), ReadData::All).await;
        assert_sound(&report, trigger);
        assert_eq!(report.figures.snapshots, 2);
    }
}

/// Somebody removes the lock while the prune works: it must notice before it removes anything (story T-06).
#[tokio::test(flavor = "multi_thread")]
async fn t06_a_prune_that_lost_its_lock_removes_nothing() {
    let (_fixture, whole) = with_unused().await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    for trigger in ["data", "index"] {
        let shown = whole.fork();
        let inner = shown.clone();
        let faulty = FaultyStorage::new(Arc::new(shown.clone()), move |asked| {
            if asked.is(Operation::Write, trigger) {
                use futures::FutureExt;
                let folder = strongroom_storage::StoragePath::new("locks").unwrap();
                for lock in inner.list(Some(&folder)).now_or_never().unwrap().unwrap() {
                    inner.delete(&lock.path).now_or_never().unwrap().unwrap();
                }
            }
            Fault::None
        });
        let calls = RecordingStorage::new(Arc::new(faulty));
        let result = prune(
            &repository.with_storage(Arc::new(calls.clone())),
            &everything(),
        )
        .await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::LockLost, "{trigger}");
        assert_eq!(
            calls.count(Operation::Delete, "index") + calls.count(Operation::Delete, "data"),
            0
        );
    }
}
