//! What is lost here comes back from another repository.

use std::collections::BTreeSet;
use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::check::ReadData;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{HealReport, PacksToRepair};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::engine::{new_repository, open_repository};
use strongroom_testkit::on_disk;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, locks, overwrite};
use crate::scene::{on, readable, repair_index, repair_packs};

/// What the plan found in neither repository, and what was done.
async fn heal(repository: &Repository, source: &Repository) -> (Vec<(BlobKind, Id)>, HealReport) {
    let cancel = CancellationToken::new();
    let report = check(repository, ReadData::All).await;
    let options = locks();
    let lock = repository.lock(Access::Append, &options, &cancel);
    let lock = lock.await.unwrap();
    let plan = repository.plan_heal(source, &report, &Silent, &cancel);
    let plan = plan.await.unwrap();
    let lost = plan.lost.clone();
    let healing = repository.heal(source, plan, &lock, &Silent, &cancel);
    let report = healing.await.unwrap();
    lock.release().await.unwrap();
    (lost, report)
}

/// All snapshots in a repository with another key, as `copy` makes it.
async fn copied(source: &Repository) -> Repository {
    let cancel = CancellationToken::new();
    let other = new_repository(Arc::new(MemoryStorage::new())).await;
    let snapshots = source.load_snapshots(&Silent).await.unwrap();
    let plan = other.plan_copy(source, snapshots, &Silent, &cancel);
    let plan = plan.await.unwrap();
    let lock = other.lock(Access::Append, &locks(), &cancel).await.unwrap();
    let copying = other.copy(source, plan, &lock, &Silent, &cancel);
    copying.await.unwrap();
    lock.release().await.unwrap();
    other
}

/// Whichever pack is lost or damaged, trees of directories in directories among them.
#[tokio::test(flavor = "multi_thread")]
async fn t36_whatever_is_lost_comes_back_from_a_copy() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let twin = on(&repository, &whole.fork());
    let other = copied(&repository).await;
    for source in [&twin, &other] {
        for path in files(&whole, "data").await {
            for is_gone in [true, false] {
                let storage = whole.fork();
                match is_gone {
                    true => storage.delete(&path).await.unwrap(),
                    false => {
                        overwrite(&storage, &path, |content| {
                            let middle = content.len() / 2;
                            content[middle] ^= 1;
                        })
                        .await;
                    }
                }
                let here = on(&repository, &storage);
                let (lost, report) = heal(&here, source).await;
                assert_eq!(lost, [], "{path}");
                assert!(report.healed > 0 && report.damaged.is_empty(), "{path}");
                repair_packs(&here, PacksToRepair::ReadAll).await.unwrap();
                repair_index(&here, false).await.unwrap();
                assert_sound(&check(&here, ReadData::All).await, path.as_str());
                on_disk(&storage).await.1.check_read_data();
            }
        }
    }
}

/// What both have lost is said to be lost, the tree of a snapshot too, and the rest comes back.
#[tokio::test(flavor = "multi_thread")]
async fn what_both_have_lost_is_told() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let index = repository.load_index(&Silent).await.unwrap();
    let packs = files(&storage, "data").await;
    let mut has_lost_trees = false;
    for gone in &packs {
        let (here, source) = (storage.fork(), storage.fork());
        source.delete(gone).await.unwrap();
        for pack in &packs {
            here.delete(pack).await.unwrap();
        }
        let (here, source) = (on(&repository, &here), on(&repository, &source));
        let (lost, report) = heal(&here, &source).await;
        let told: BTreeSet<_> = lost.iter().chain(&report.damaged).collect();
        assert!(!told.is_empty(), "{gone}");
        for (kind, id) in &told {
            let place = index.locate(*kind, id).unwrap();
            assert_eq!(
                place.pack.to_hex(),
                gone.file_name(),
                "{kind} {id} is not lost"
            );
            has_lost_trees |= *kind == BlobKind::Tree;
        }
        assert_eq!(readable(&here).await.len() as u64, report.healed, "{gone}");
        assert!(!check(&here, ReadData::All).await.affected.is_empty());
    }
    assert!(has_lost_trees);
}
