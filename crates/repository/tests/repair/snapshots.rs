//! New snapshots without what is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::format::{Id, Snapshot};
use strongroom_repository::progress::Silent;
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{ResticLayoutStorage, on_disk};

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, overwrite};
use crate::scene::{on, quarantine, repair_index, repair_snapshots};

async fn scene() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    (fixture, storage, repository)
}

async fn snapshots(repository: &Repository) -> Vec<(Id, Snapshot)> {
    let files = repository.load_snapshots(&Silent).await.unwrap();
    files
        .into_iter()
        .map(|file| (file.id, file.snapshot))
        .collect()
}

/// What of the snapshots counts: which was made from which, with which tree and tags.
async fn made(repository: &Repository) -> BTreeSet<(Option<Id>, Id, Vec<String>)> {
    let all = snapshots(repository).await;
    all.into_iter()
        .map(|(_, snapshot)| (snapshot.original, snapshot.tree, snapshot.tags))
        .collect()
}

/// Whichever pack is lost: the trees that we make are those that restic makes, to the last byte.
#[tokio::test(flavor = "multi_thread")]
async fn whichever_pack_is_lost_the_new_snapshots_are_those_of_restic() {
    let (_fixture, whole, repository) = scene().await;
    let mut changed = 0;
    for path in files(&whole, "data").await {
        for forget in [false, true] {
            let storage = whole.fork();
            storage.delete(&path).await.unwrap();
            let here = on(&repository, &storage);
            repair_index(&here, false).await.unwrap();
            let (dir, restic) = on_disk(&storage).await;
            let args = ["repair", "snapshots", "--forget"];
            restic.run(&args[..if forget { 3 } else { 2 }]).ok();
            let theirs = in_memory(&dir.path().join("repository")).await;
            let theirs = made(&on(&repository, &theirs)).await;
            let report = repair_snapshots(&here, forget).await.unwrap();
            let mut ours = made(&here).await;
            if !forget {
                // restic removes a snapshot whose root is lost, asked or not.
                let left: Vec<Id> = report.left.clone();
                for (id, snapshot) in snapshots(&here).await {
                    if left.contains(&id) {
                        ours.remove(&(None, snapshot.tree, snapshot.tags));
                    }
                }
            }
            assert_eq!(ours, theirs, "{path}, forget: {forget}");
            changed += report.made.len();
            if forget {
                assert_sound(&check(&here, ReadData::All).await, "repaired");
                on_disk(&storage).await.1.check_read_data();
            }
        }
    }
    assert!(changed > 3, "{changed}");
}

/// Whoever repairs the snapshots before the index would be told that nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_missing_pack_is_lost_though_the_index_names_it() {
    let (_fixture, whole, repository) = scene().await;
    let mut changed = 0;
    for path in files(&whole, "data").await {
        let repaired = async |after_index: bool| {
            let storage = whole.fork();
            storage.delete(&path).await.unwrap();
            let here = on(&repository, &storage);
            if after_index {
                repair_index(&here, false).await.unwrap();
            }
            let report = repair_snapshots(&here, false).await.unwrap();
            (report.made.len() + report.left.len(), made(&here).await)
        };
        let (first, alone) = (repaired(true).await, repaired(false).await);
        assert_eq!(alone, first, "{path}");
        changed += alone.0;
    }
    assert!(changed > 0);
}

/// The old one is what a later backup or a copy may make whole again.
#[tokio::test(flavor = "multi_thread")]
async fn t35_the_old_snapshots_stay_and_a_second_repair_makes_nothing_new() {
    let (_fixture, whole, repository) = scene().await;
    for path in files(&whole, "data").await {
        let storage = whole.fork();
        storage.delete(&path).await.unwrap();
        let here = on(&repository, &storage);
        let before = snapshots(&here).await;
        // The index still names the pack: that it is missing is seen all the same.
        repair_snapshots(&here, false).await.unwrap();
        let after = snapshots(&here).await;
        assert!(before.iter().all(|old| after.contains(old)));
        let again = repair_snapshots(&here, false).await.unwrap();
        assert!(again.made.is_empty());
        assert_eq!(snapshots(&here).await, after);
        // Asked to, the second one removes what the first one left.
        let forgetting = repair_snapshots(&here, true).await.unwrap();
        assert!(forgetting.made.is_empty());
        assert_eq!(
            forgetting.removed.len(),
            before.len() - unharmed(&before, &forgetting.removed)
        );
        let quarantined = quarantine(&here).await;
        assert_eq!(quarantined.len(), forgetting.removed.len());
    }
}

fn unharmed(before: &[(Id, Snapshot)], removed: &[Id]) -> usize {
    before
        .iter()
        .filter(|(id, _)| !removed.contains(id))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn t35_a_snapshot_that_cannot_be_read_is_put_aside_and_not_deleted() {
    let (_fixture, storage, repository) = scene().await;
    let path = files(&storage, "snapshots").await[0].clone();
    overwrite(&storage, &path, |content| content[20] ^= 1).await;
    let report = repair_snapshots(&repository, false).await.unwrap();
    assert_eq!(report.made, []);
    assert_eq!(repository.list(FileKind::Snapshot).await.unwrap().len(), 1);
    let names = quarantine(&repository).await;
    assert_eq!(
        names,
        [format!("snapshot-{}-20260102T030405Z", path.file_name())]
    );
    on_disk(&storage).await.1.check_read_data();
}

/// Where it cannot be kept aside it stays, whatever was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn t35_without_a_quarantine_a_snapshot_that_cannot_be_read_stays() {
    let (_fixture, storage, repository) = scene().await;
    let path = files(&storage, "snapshots").await[0].clone();
    overwrite(&storage, &path, |content| content[20] ^= 1).await;
    let narrow = ResticLayoutStorage::new(Arc::new(storage.clone()));
    let narrow = repository.with_storage(Arc::new(narrow));
    for forget in [false, true] {
        let report = repair_snapshots(&narrow, forget).await.unwrap();
        assert_eq!(report.left, [path.file_name().parse::<Id>().unwrap()]);
        assert!(files(&storage, "snapshots").await.contains(&path));
    }
}
