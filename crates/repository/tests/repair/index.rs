//! The index is made to agree with the packs.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::IndexedBlob;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::IndexRepairOptions;
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{
    Asked, Fault, FaultyStorage, RecordingStorage, ResticLayoutStorage, on_disk,
};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, overwrite};
use crate::scene::{
    assert_nothing_lost, bytes, on, quarantine, readable, repair_index, repair_packs,
};
use strongroom_repository::repair::PacksToRepair;

async fn scene() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    (fixture, storage, repository)
}

async fn assert_restic_agrees(storage: &MemoryStorage) {
    let (_dir, restic) = on_disk(storage).await;
    restic.check_read_data();
}

/// Without any index nothing is found, though all of it is there.
#[tokio::test(flavor = "multi_thread")]
async fn lost_index_files_are_made_again_from_the_packs() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    for path in files(&storage, "index").await {
        storage.delete(&path).await.unwrap();
    }
    repair_index(&repository, false).await.unwrap();
    assert_eq!(readable(&repository).await, before);
    assert_sound(&check(&repository, ReadData::All).await, "repaired");
    assert_restic_agrees(&storage).await;
}

/// What is in an index file that cannot be read is in the packs too; the file itself is kept.
#[tokio::test(flavor = "multi_thread")]
async fn t35_an_index_file_that_cannot_be_read_is_replaced_and_kept() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    let path = files(&storage, "index").await[0].clone();
    overwrite(&storage, &path, |content| content[30] ^= 1).await;
    let damaged = bytes(&storage, &path).await;
    let report = repair_index(&repository, false).await.unwrap();
    assert_eq!(readable(&repository).await, before);
    assert_sound(&check(&repository, ReadData::All).await, "repaired");
    let names = quarantine(&repository).await;
    assert_eq!(names, report.quarantined);
    let expected = format!("index-{}-20260102T030405Z", path.file_name());
    assert_eq!(names, [expected]);
    let own = strongroom_repository::own_files::OwnFolder::Quarantine;
    assert_eq!(repository.read_own(own, &names[0]).await.unwrap(), damaged);
    assert_restic_agrees(&storage).await;
}

/// Where it cannot be kept it stays, and the report says so; the rest is repaired.
#[tokio::test(flavor = "multi_thread")]
async fn t35_without_a_quarantine_a_damaged_file_stays_where_it_is() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    let path = files(&storage, "index").await[0].clone();
    overwrite(&storage, &path, |content| content[30] ^= 1).await;
    let narrow = ResticLayoutStorage::new(Arc::new(storage.clone()));
    let narrow = repository.with_storage(Arc::new(narrow));
    let report = repair_index(&narrow, false).await.unwrap();
    assert_eq!(report.left, [path.file_name().parse::<Id>().unwrap()]);
    assert_eq!(readable(&repository).await, before);
    assert!(files(&storage, "index").await.contains(&path));
    assert!(files(&storage, "strongroom").await.is_empty());
}

fn packed(blob: &IndexedBlob) -> PackedBlob {
    PackedBlob {
        kind: blob.kind,
        id: blob.id,
        offset: blob.location.offset,
        length: blob.location.length,
        uncompressed_length: blob.location.uncompressed_length,
    }
}

async fn save_index(repository: &Repository, packs: &[(Id, Vec<PackedBlob>)]) {
    let mut encoder = IndexEncoder::new();
    for (pack, blobs) in packs {
        encoder.pack(pack, blobs);
    }
    let saved = repository.save_file(FileKind::Index, encoder.finish());
    saved.await.unwrap();
}

/// One index file knows the first half of a pack, another the second half and a pack that is gone. The latter goes; what it
/// said of the first pack must not.
#[tokio::test(flavor = "multi_thread")]
async fn t08_a_pack_that_two_index_files_describe_stays_described_wholly() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    let index = repository.load_index(&Silent).await.unwrap();
    let old = files(&storage, "index").await;
    let mut split = 0;
    for (pack, blobs) in index.by_pack() {
        let blobs: Vec<PackedBlob> = blobs.iter().map(packed).collect();
        let (first, second) = blobs.split_at(blobs.len() / 2);
        if first.is_empty() {
            save_index(&repository, &[(pack, blobs)]).await;
            continue;
        }
        split += 1;
        let gone = PackedBlob {
            id: Id::of(b"gone"),
            ..first[0]
        };
        save_index(&repository, &[(pack, first.to_vec())]).await;
        let lost = (Id::of(b"no such pack"), vec![gone]);
        save_index(&repository, &[(pack, second.to_vec()), lost]).await;
    }
    assert!(split > 0);
    for path in old {
        storage.delete(&path).await.unwrap();
    }
    let report = repair_index(&repository, false).await.unwrap();
    assert_eq!(report.indexes_removed, split);
    assert_eq!(readable(&repository).await, before);
    assert_sound(&check(&repository, ReadData::All).await, "repaired");
    assert_restic_agrees(&storage).await;
}

/// A storage that shows no packs for a moment must not make the index forget them.
#[tokio::test(flavor = "multi_thread")]
async fn t11_packs_that_a_listing_does_not_show_are_not_forgotten() {
    let (_fixture, storage, repository) = scene().await;
    let before = files(&storage, "").await;
    let picks = |asked: &Asked| asked.is(Operation::List, "data");
    let faulty = FaultyStorage::every(Arc::new(storage.clone()), picks, Fault::Lose);
    let faulty = repository.with_storage(Arc::new(faulty));
    let error = repair_index(&faulty, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(files(&storage, "").await, before);
}

/// A pack of which the end is gone still holds what lies before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_pack_that_was_cut_off_stays_found() {
    let (_fixture, whole, repository) = scene().await;
    for path in files(&whole, "data").await {
        let storage = whole.fork();
        let here = on(&repository, &storage);
        overwrite(&storage, &path, |content| {
            content.truncate(content.len() * 2 / 3);
        })
        .await;
        let before = readable(&here).await;
        repair_index(&here, false).await.unwrap();
        let after = readable(&here).await;
        assert_eq!(after, before, "{path}");
        // Nothing is said to be there that is not: the next backup stores it again.
        let index = here.load_index(&Silent).await.unwrap();
        let named = index.len(BlobKind::Data) + index.len(BlobKind::Tree);
        assert_eq!(named, after.len(), "{path}");
        let (lost, _) = repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
        assert_eq!(lost.len(), 0, "the index knows no lost blob any more");
        assert_eq!(readable(&here).await, after, "{path}");
    }
}

/// The sizes agree and yet the index is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn reading_all_packs_finds_an_index_that_lies() {
    let (_fixture, storage, repository) = scene().await;
    let before = readable(&repository).await;
    let index = repository.load_index(&Silent).await.unwrap();
    let old = files(&storage, "index").await;
    for (pack, blobs) in index.by_pack() {
        let mut blobs: Vec<PackedBlob> = blobs.iter().map(packed).collect();
        let last = blobs.len() - 1;
        if last > 0 {
            let first = blobs[0].id;
            blobs[0].id = std::mem::replace(&mut blobs[last].id, first);
        }
        save_index(&repository, &[(pack, blobs)]).await;
    }
    for path in old {
        storage.delete(&path).await.unwrap();
    }
    assert!(readable(&repository).await.len() < before.len());
    let report = repair_index(&repository, false).await.unwrap();
    assert_eq!(report.indexes_written, 0);
    repair_index(&repository, true).await.unwrap();
    assert_eq!(readable(&repository).await, before);
    assert_sound(&check(&repository, ReadData::All).await, "repaired");
    assert_restic_agrees(&storage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_repository_is_left_as_it_is() {
    let (_fixture, storage, repository) = scene().await;
    let recording = RecordingStorage::new(Arc::new(storage.clone()));
    let here = repository.with_storage(Arc::new(recording.clone()));
    for read_all in [false, true] {
        repair_index(&here, read_all).await.unwrap();
    }
    let changes = |folder| {
        recording.count(Operation::Write, folder) + recording.count(Operation::Delete, folder)
    };
    assert_eq!(
        changes("index") + changes("data") + changes("strongroom"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_out_of_date_is_refused() {
    let (_fixture, storage, repository) = scene().await;
    let gone = files(&storage, "data").await[0].clone();
    storage.delete(&gone).await.unwrap();
    let cancel = CancellationToken::new();
    let options = IndexRepairOptions::default();
    let plan = repository.plan_repair_index(options, &Silent, &cancel);
    let plan = plan.await.unwrap();
    save_index(&repository, &[]).await;
    let before = files(&storage, "index").await;
    let access = strongroom_repository::lock::Access::Exclusive;
    let options = crate::fixture::locks();
    let lock = repository.lock(access, &options, &cancel);
    let lock = lock.await.unwrap();
    let result = repository
        .repair_index(plan, crate::scene::now(), &lock, &Silent, &cancel)
        .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(files(&storage, "index").await, before);
}

/// restic's repair and ours leave the same to be found, whichever pack is gone.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_loss_of_a_pack_both_programs_find_the_same() {
    let (_fixture, whole, repository) = scene().await;
    for path in files(&whole, "data").await {
        let ours = whole.fork();
        ours.delete(&path).await.unwrap();
        let (dir, restic) = on_disk(&ours).await;
        restic.run(["repair", "index"]).ok();
        let theirs = in_memory(&dir.path().join("repository")).await;
        let here = on(&repository, &ours);
        repair_index(&here, false).await.unwrap();
        let after = readable(&here).await;
        assert_eq!(after, readable(&on(&repository, &theirs)).await, "{path}");
        assert_nothing_lost(&after, &readable(&repository).await, "of the whole");
    }
}
