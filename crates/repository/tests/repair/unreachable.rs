//! A storage that cannot be asked says nothing about the data: what is taken for lost then is thrown away while it is whole.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use strongroom_repository::format::Id;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::PacksToRepair;
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{
    ErrorKind as StorageKind, MemoryStorage, Operation, Retry, Storage, StoragePath,
};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{Asked, Fault, FaultyStorage};

use crate::fixture::{Fixture, copy_file, files, in_memory, overwrite};
use crate::scene::{
    assert_nothing_lost, on, readable, repair_index, repair_packs, repair_snapshots,
};

const UNREACHABLE: Fault = Fault::Fail(StorageKind::Unreachable, Retry::Later);
const BAD_SECTOR: Fault = Fault::Fail(StorageKind::Io, Retry::Never);

#[derive(Debug, Clone, Copy)]
enum Repair {
    Index,
    Packs,
    Snapshots,
}

impl Repair {
    async fn run(self, repository: &Repository) -> Result<()> {
        match self {
            Self::Index => repair_index(repository, true).await.map(drop),
            Self::Packs => repair_packs(repository, PacksToRepair::ReadAll)
                .await
                .map(drop),
            Self::Snapshots => repair_snapshots(repository, true).await.map(drop),
        }
    }
}

/// Everything that the second snapshot needs is stored twice, and the first copy is damaged in the middle.
async fn damaged_copies() -> (Fixture, MemoryStorage, Repository) {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let saved = storage.fork();
    let indexes = files(&storage, "index").await;
    for path in &indexes {
        storage.delete(path).await.unwrap();
    }
    backup(&repository, &fixture.source(), None).await;
    for path in &indexes {
        copy_file(&saved, &storage, path).await;
    }
    for path in files(&saved, "data").await {
        overwrite(&storage, &path, |content| {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        })
        .await;
    }
    (fixture, storage, repository)
}

/// A pack as a whole, and not a part of it.
fn is_whole(asked: &Asked, packs: &[StoragePath]) -> bool {
    let path = asked.path.as_ref();
    asked.operation == Operation::Read
        && asked.range.is_none()
        && path.is_some_and(|path| packs.contains(path))
}

/// What the snapshots stand for.
async fn roots(repository: &Repository) -> BTreeSet<Id> {
    let snapshots = repository.load_snapshots(&Silent).await.unwrap();
    snapshots.iter().map(|file| file.snapshot.tree).collect()
}

/// Whichever read fails, the repair fails with it or reads another copy, and what could be read before can be read.
#[tokio::test(flavor = "multi_thread")]
async fn t35_a_read_that_fails_is_not_damage() {
    let (_fixture, whole, repository) = damaged_copies().await;
    let before = readable(&repository).await;
    let packs = files(&whole, "data").await;
    for repair in [Repair::Index, Repair::Packs, Repair::Snapshots] {
        let sound = on(&repository, &whole.fork());
        repair.run(&sound).await.unwrap();
        let repaired = roots(&sound).await;
        // A pack is tried blob by blob by that repair alone.
        let tries = if matches!(repair, Repair::Packs) {
            2
        } else {
            1
        };
        for bad_sectors in [false, true].into_iter().take(tries) {
            for nth in 0.. {
                let when = format!("{repair:?}, bad sectors: {bad_sectors}, read {nth}");
                let storage = whole.fork();
                let failed = Arc::new(AtomicBool::new(false));
                let (told, old, mut reads) = (Arc::clone(&failed), packs.clone(), 0);
                let faulty = FaultyStorage::new(Arc::new(storage.clone()), move |asked| {
                    if bad_sectors && is_whole(asked, &old) {
                        return BAD_SECTOR;
                    }
                    if !asked.is(Operation::Read, "") {
                        return Fault::None;
                    }
                    reads += 1;
                    if reads != nth + 1 {
                        return Fault::None;
                    }
                    told.store(true, Ordering::Relaxed);
                    UNREACHABLE
                });
                let result = repair.run(&repository.with_storage(Arc::new(faulty))).await;
                let after = on(&repository, &storage);
                if !failed.load(Ordering::Relaxed) {
                    result.unwrap();
                    break;
                }
                match result {
                    // Another copy was read instead.
                    Ok(()) => assert_eq!(roots(&after).await, repaired, "{when}"),
                    Err(error) => {
                        let kind = error.storage().map(|error| error.kind);
                        assert_eq!(kind, Some(StorageKind::Unreachable), "{when}: {error}");
                    }
                }
                assert_nothing_lost(&before, &readable(&after).await, &when);
            }
        }
    }
}

/// A sector that cannot be read costs the blob that it lies in. What lies beside it is brought to safety, and the pack stays
/// where it is, since it cannot be put aside.
#[tokio::test(flavor = "multi_thread")]
async fn t35_a_bad_sector_costs_one_blob() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let all = readable(&repository).await;
    for path in files(&whole, "data").await {
        let storage = whole.fork();
        let bad = path.clone();
        let faulty = FaultyStorage::every(
            Arc::new(storage.clone()),
            move |asked| {
                let covers = asked.range.is_none_or(|range| {
                    range.offset <= 40 && 40 < range.offset.saturating_add(range.length)
                });
                covers && asked.is(Operation::Read, bad.as_str())
            },
            BAD_SECTOR,
        );
        let here = repository.with_storage(Arc::new(faulty));
        let before = readable(&here).await;
        let (lost, report) = repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
        assert_eq!(lost.len(), 1, "{path}");
        let pack = path.file_name().parse().unwrap();
        assert_eq!((report.left, report.packs_removed), (vec![pack], 0));
        let after = readable(&here).await;
        assert_eq!(after, before, "{path}");
        assert_eq!(after.len(), all.len() - 1, "{path}");
        // The index names the pack no more, and what was brought to safety does not need it.
        storage.delete(&path).await.unwrap();
        assert_eq!(readable(&here).await, before, "{path}");
    }
}

/// The pack is not as long as it was. Of all packs this one alone is looked at, and what is whole in it is saved.
#[tokio::test(flavor = "multi_thread")]
async fn t35_packs_of_the_wrong_size_are_found_by_their_size() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let paths = files(&whole, "data").await;
    for path in &paths {
        let storage = whole.fork();
        let here = on(&repository, &storage);
        overwrite(&storage, path, |content| {
            content.truncate(content.len() - 1)
        })
        .await;
        let before = readable(&here).await;
        let (_, report) = repair_packs(&here, PacksToRepair::WrongSize).await.unwrap();
        assert_eq!(report.packs_removed, 1, "{path}");
        let left: Vec<StoragePath> = files(&storage, "data").await;
        let others = paths.iter().filter(|other| *other != path);
        assert!(!left.contains(path) && others.into_iter().all(|other| left.contains(other)));
        assert_nothing_lost(&before, &readable(&here).await, path.as_str());
    }
    let storage = whole.fork();
    let here = on(&repository, &storage);
    let report = repair_packs(&here, PacksToRepair::WrongSize).await.unwrap();
    assert_eq!(report.1, Default::default());
    let name = vec![Id::of(b"no such pack")];
    let error = repair_packs(&here, PacksToRepair::Named(name)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
}
