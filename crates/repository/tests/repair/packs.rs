//! What is whole in damaged packs is brought to safety.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::repair::PacksToRepair;
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{ResticLayoutStorage, on_disk};

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, overwrite};
use crate::scene::{
    assert_nothing_lost, bytes, on, quarantine, readable, repair_index, repair_packs,
};

type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 5] = [
    ("a byte at the begin", |content| content[40] ^= 1),
    ("a byte in the middle", |content| {
        let middle = content.len() / 2;
        content[middle] ^= 1;
    }),
    ("a byte of the header", |content| {
        let place = content.len() - 20;
        content[place] ^= 1;
    }),
    ("the end is gone", |content| {
        content.truncate(content.len() * 3 / 4)
    }),
    ("more at the end", |content| content.extend([7; 100])),
];

async fn scene() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    (fixture, storage, repository)
}

/// Every pack, damaged in every way: what is whole stays readable, and restic's repair saves no more than ours.
#[tokio::test(flavor = "multi_thread")]
async fn t35_all_that_is_whole_in_a_damaged_pack_stays_readable() {
    let (_fixture, whole, repository) = scene().await;
    let all = readable(&repository).await;
    for path in files(&whole, "data").await {
        for (name, damage) in DAMAGES {
            let when = format!("{path}, {name}");
            let storage = whole.fork();
            let here = on(&repository, &storage);
            overwrite(&storage, &path, damage).await;
            let damaged = bytes(&storage, &path).await;
            let before = readable(&here).await;
            let (dir, restic) = on_disk(&storage).await;
            let (lost, report) = repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
            let after = readable(&here).await;
            assert_nothing_lost(&before, &after, &when);
            assert_eq!(lost.len(), all.len() - after.len(), "{when}");
            assert_eq!(report.packs_removed, 1, "{when}");
            let names = quarantine(&here).await;
            let pack = names.iter().find(|name| name.starts_with("pack-")).unwrap();
            let own = strongroom_repository::own_files::OwnFolder::Quarantine;
            assert_eq!(here.read_own(own, pack).await.unwrap(), damaged, "{when}");
            let checked = check(&here, ReadData::All).await;
            assert_eq!(checked.broken_packs(), [], "{when}");
            if lost.is_empty() {
                assert_sound(&checked, &when);
                on_disk(&storage).await.1.check_read_data();
            }
            // restic wants the name of the pack.
            restic.run(["repair", "packs", path.file_name()]);
            let theirs = in_memory(&dir.path().join("repository")).await;
            let theirs = readable(&on(&repository, &theirs)).await;
            assert_nothing_lost(&theirs, &after, &format!("{when}: beside restic"));
        }
    }
}

/// Another file's content under the name of a pack.
#[tokio::test(flavor = "multi_thread")]
async fn t35_a_pack_with_the_content_of_another_loses_no_more_than_its_own() {
    let (_fixture, storage, repository) = scene().await;
    let packs = files(&storage, "data").await;
    let other = bytes(&storage, &packs[1]).await;
    overwrite(&storage, &packs[0], |content| *content = other).await;
    let before = readable(&repository).await;
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    assert_eq!(readable(&repository).await, before);
    assert_eq!(check(&repository, ReadData::All).await.broken_packs(), []);
}

/// Everything is stored twice: damage to one copy loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_another_copy_is_not_lost() {
    let (fixture, storage, repository) = scene().await;
    let old = files(&storage, "index").await;
    let saved = storage.fork();
    for path in &old {
        storage.delete(path).await.unwrap();
    }
    let again = backup(&repository, &fixture.source(), None).await;
    assert!(again.written.data_blobs > 0);
    for path in &old {
        crate::fixture::copy_file(&saved, &storage, path).await;
    }
    let before = readable(&repository).await;
    let packs = files(&saved, "data").await;
    for pack in &packs {
        overwrite(&storage, pack, |content| {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        })
        .await;
    }
    let (lost, _) = repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
    let after = readable(&repository).await;
    assert_nothing_lost(&before, &before, "both");
    assert_eq!(lost.len(), before.len() - after.len());
    assert!(
        lost.len() < packs.len(),
        "the second snapshot is stored twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_was_named_and_is_whole_stays() {
    let (_fixture, storage, repository) = scene().await;
    let before = files(&storage, "").await;
    let named = |path: &StoragePath| PacksToRepair::Named(vec![path.file_name().parse().unwrap()]);
    let pack = files(&storage, "data").await[0].clone();
    let (lost, report) = repair_packs(&repository, named(&pack)).await.unwrap();
    assert!(lost.is_empty() && report.packs_removed == 0);
    assert_eq!(files(&storage, "").await, before);
    storage.delete(&pack).await.unwrap();
    let error = repair_packs(&repository, named(&pack)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Nothing is deleted that is not saved; the index forgets the pack all the same.
#[tokio::test(flavor = "multi_thread")]
async fn t35_without_a_quarantine_a_damaged_pack_stays_where_it_is() {
    let (_fixture, storage, repository) = scene().await;
    let pack = files(&storage, "data").await[0].clone();
    overwrite(&storage, &pack, |content| content[40] ^= 1).await;
    let before = readable(&repository).await;
    let narrow = ResticLayoutStorage::new(Arc::new(storage.clone()));
    let narrow = repository.with_storage(Arc::new(narrow));
    let (_, report) = repair_packs(&narrow, PacksToRepair::ReadAll).await.unwrap();
    assert_eq!(report.left.len(), 1);
    assert!(files(&storage, "data").await.contains(&pack));
    assert_eq!(readable(&repository).await, before);
}

/// An index that cannot be read says of no pack whether all of it was saved.
#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_repaired_first() {
    let (_fixture, storage, repository) = scene().await;
    let path = files(&storage, "index").await[0].clone();
    overwrite(&storage, &path, |content| content[30] ^= 1).await;
    let error = repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    repair_index(&repository, false).await.unwrap();
    repair_packs(&repository, PacksToRepair::ReadAll)
        .await
        .unwrap();
}
