//! What a repair says of itself: whoever believes that all is well throws the source away.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::format::Id;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{
    IndexRepairOptions, IndexRepairPlan, PacksToRepair, SnapshotsRepairOptions, TAG,
};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{Class, MemoryStorage, Storage, WriteMode};
use strongroom_testkit::engine::open_repository;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, files, in_memory, locks, overwrite};
use crate::scene::{on, quarantine, repair_index, repair_packs, repair_snapshots};

async fn scene() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    (fixture, storage, repository)
}

async fn plan(repository: &Repository) -> IndexRepairPlan {
    let options = IndexRepairOptions::default();
    let cancel = CancellationToken::new();
    let plan = repository.plan_repair_index(options, &Silent, &cancel);
    plan.await.unwrap()
}

/// Each of the causes alone: the index is right afterwards, and still something is damaged.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_repair_says_whether_damage_is_left() {
    let (_fixture, whole, repository) = scene().await;
    let sound = plan(&repository).await;
    assert!(sound.is_nothing() && !sound.leaves_damage());

    let storage = whole.fork();
    for path in files(&storage, "index").await {
        storage.delete(&path).await.unwrap();
    }
    let found = plan(&on(&repository, &storage)).await;
    assert!(!found.is_nothing() && !found.leaves_damage());

    let packs = files(&whole, "data").await;
    let storage = whole.fork();
    storage.delete(&packs[0]).await.unwrap();
    let missing = plan(&on(&repository, &storage)).await;
    assert!(missing.blobs_lost > 0 && missing.unreadable_packs.is_empty());
    assert!(missing.redescribed.is_empty());
    assert!(!missing.is_nothing() && missing.leaves_damage());

    let storage = whole.fork();
    let id = Id::of(b"not what is in it");
    let path = FileKind::Pack.path(&id).unwrap();
    let content = Bytes::from_static(&[7; 200]);
    let writing = storage.write(&path, content, WriteMode::Replace, Class::Data);
    writing.await.unwrap();
    let unreadable = plan(&on(&repository, &storage)).await;
    assert!(unreadable.blobs_lost == 0 && unreadable.redescribed.is_empty());
    assert_eq!(unreadable.unreadable_packs.len(), 1);
    assert!(unreadable.leaves_damage());

    let storage = whole.fork();
    overwrite(&storage, &packs[0], |content| content.extend([7; 100])).await;
    let longer = plan(&on(&repository, &storage)).await;
    assert!(longer.blobs_lost == 0 && longer.unreadable_packs.is_empty());
    assert!(longer.redescribed.len() == 1 && longer.leaves_damage());
}

/// What was put aside is the last trace of it: it is listed, oldest first, and goes only when it is named.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_quarantine_is_listed_and_removed_by_name() {
    let (_fixture, storage, repository) = scene().await;
    assert_eq!(repository.list_quarantine().await.unwrap(), []);
    let index = files(&storage, "index").await[0].clone();
    let pack = files(&storage, "data").await[0].clone();
    overwrite(&storage, &index, |content| content[30] ^= 1).await;
    repair_index(&repository, false).await.unwrap();
    overwrite(&storage, &pack, |content| content[40] ^= 1).await;
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    let listed = repository.list_quarantine().await.unwrap();
    let names: Vec<String> = listed.iter().map(|file| file.name.clone()).collect();
    assert_eq!(names, quarantine(&repository).await);
    let ids: Vec<Option<Id>> = listed.iter().map(|file| file.id).collect();
    let id = |name: &str| name.parse().ok();
    assert!(ids.contains(&id(index.file_name())) && ids.contains(&id(pack.file_name())));
    let kinds: Vec<Option<FileKind>> = listed.iter().map(|file| file.kind).collect();
    assert!(kinds.contains(&Some(FileKind::Index)) && kinds.contains(&Some(FileKind::Pack)));

    let cancel = CancellationToken::new();
    let options = locks();
    let lock = repository.lock(Access::Exclusive, &options, &cancel);
    let lock = lock.await.unwrap();
    let (first, rest) = listed.split_first().unwrap();
    let emptying = repository.empty_quarantine(std::slice::from_ref(first), &lock);
    emptying.await.unwrap();
    assert_eq!(repository.list_quarantine().await.unwrap(), rest);
    for path in files(&storage, "locks").await {
        storage.delete(&path).await.unwrap();
    }
    let error = repository.empty_quarantine(rest, &lock).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockLost);
    assert_eq!(repository.list_quarantine().await.unwrap(), rest);
}

/// Tags are what policies go by: a snapshot that loses them is forgotten with the wrong group.
#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_snapshot_keeps_its_tags_and_says_once_that_it_is_one() {
    let (_fixture, whole, repository) = scene().await;
    let change = TagChange::Set(vec!["monthly".into()]);
    let cancel = CancellationToken::new();
    let options = locks();
    let lock = repository.lock(Access::Exclusive, &options, &cancel);
    let lock = lock.await.unwrap();
    let snapshots = repository.load_snapshots(&Silent).await.unwrap();
    let tagging = plan_tags(snapshots, &change).unwrap();
    tagging
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap();
    lock.release().await.unwrap();
    let mut twice = 0;
    let packs = files(&whole, "data").await;
    for first in &packs {
        for second in packs.iter().filter(|second| *second != first) {
            let storage = whole.fork();
            let here = on(&repository, &storage);
            storage.delete(first).await.unwrap();
            let made = repair_snapshots(&here, false).await.unwrap().made;
            storage.delete(second).await.unwrap();
            let again = repair_snapshots(&here, false).await.unwrap().made;
            let (old, new): (Vec<Id>, Vec<Id>) = made.iter().chain(&again).copied().unzip();
            for id in &new {
                let snapshot = here.load_snapshot(id).await.unwrap();
                assert_eq!(snapshot.tags, ["monthly", TAG]);
            }
            twice += new.iter().filter(|id| old.contains(id)).count();
        }
    }
    assert!(twice > 0, "no repaired snapshot was repaired again");
    for forget in [false, true] {
        let options = SnapshotsRepairOptions {
            forget,
            ..SnapshotsRepairOptions::default()
        };
        let plan = repository.plan_repair_snapshots(&options, &Silent, &cancel);
        assert_eq!(plan.await.unwrap().forgets(), forget);
    }
}
