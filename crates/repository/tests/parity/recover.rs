//! Bringing back on storages that lie, beside somebody who writes, and without a lock: nothing that is there is lost.

use std::sync::Arc;

use strongroom_repository::format::Id;
use strongroom_repository::format::parity::{ParityMemberKind, parity_name};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::recover::{RecoverOptions, RecoverPlan, RecoverReport};
use strongroom_repository::parity::{self, ParityOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::workers::Workers;
use strongroom_repository::{ErrorKind, FileKind, Repository, Result};
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::{Asked, Fault, FaultyStorage, Random, RecordingStorage};
use tokio_util::sync::CancellationToken;

use crate::vault::{self, all, exclusive};

/// A protected repository with a pack that is damaged.
struct Scene {
    repository: Repository,
    storage: MemoryStorage,
    pack: Id,
    path: String,
    whole: Vec<u8>,
    damaged: Vec<u8>,
}

impl Scene {
    async fn new() -> Self {
        let (repository, storage) = vault::new().await;
        let mut random = Random::new(71);
        let whole = random.bytes(70_000);
        let pack = vault::add(&storage, FileKind::Pack, whole.clone()).await;
        for _ in 0..4 {
            vault::add(&storage, FileKind::Pack, random.bytes(71_000)).await;
        }
        vault::make(&repository, &exclusive(20)).await.unwrap();
        let path = FileKind::Pack.path(&pack).unwrap().as_str().to_owned();
        let mut damaged = whole.clone();
        damaged[100..300].fill(0);
        vault::put(&storage, &path, damaged.clone()).await;
        Self {
            repository,
            storage,
            pack,
            path,
            whole,
            damaged,
        }
    }

    async fn content(&self) -> Vec<u8> {
        vault::get(&self.storage, &self.path).await.to_vec()
    }

    /// The storage with a fault in each write below a folder.
    fn lying(&self, folder: &'static str, fault: Fault) -> FaultyStorage {
        let storage: Arc<dyn Storage> = Arc::new(self.storage.clone());
        let picks = move |asked: &Asked| asked.is(Operation::Write, folder);
        FaultyStorage::every(storage, picks, fault)
    }
}

async fn execute(
    storage: &dyn Storage,
    plan: &RecoverPlan,
    lock: Option<&Lock>,
) -> Result<RecoverReport> {
    let workers = Workers::new(2).unwrap();
    let (now, cancel) = (jiff::Timestamp::UNIX_EPOCH, CancellationToken::new());
    plan.execute(storage, &workers, lock, now, &Silent, &cancel)
        .await
}

/// Somebody may make more of them than parity does.
#[tokio::test(flavor = "multi_thread")]
async fn t35_damaged_bytes_are_kept_as_they_were() {
    let scene = Scene::new().await;
    let plan = vault::plan(&scene.storage, &all()).await;
    let report = vault::execute(&scene.storage, &plan).await;
    assert_eq!(report.recovered.len(), 1);
    assert_eq!(scene.content().await, scene.whole);
    let aside = vault::files(&scene.storage, "strongroom/quarantine/").await;
    let name = format!("strongroom/quarantine/pack-{}-19700101T000000Z", scene.pack);
    assert_eq!(aside.keys().collect::<Vec<_>>(), [&name]);
    assert_eq!(aside[&name], scene.damaged);
}

/// Where the quarantine does not keep them, they stay where they are.
#[tokio::test(flavor = "multi_thread")]
async fn t35_without_a_copy_aside_nothing_is_replaced() {
    for fault in [Fault::Lose, Fault::Truncate(100), Fault::Flip(7)] {
        let scene = Scene::new().await;
        let plan = vault::plan(&scene.storage, &all()).await;
        let lying = scene.lying("strongroom/quarantine/", fault);
        if let Ok(report) = execute(&lying, &plan, None).await {
            assert!(report.recovered.is_empty(), "{fault:?}: {report:?}");
            assert_eq!(report.failed.len(), 1, "{fault:?}: {report:?}");
        }
        assert_eq!(scene.content().await, scene.damaged, "{fault:?}");
    }
}

/// A file that is called whole again has been read again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_storage_has_not_kept_is_not_called_recovered() {
    for fault in [Fault::Lose, Fault::Truncate(100), Fault::Flip(7)] {
        let scene = Scene::new().await;
        let plan = vault::plan(&scene.storage, &all()).await;
        let report = execute(&scene.lying("data/", fault), &plan, None).await;
        let report = report.unwrap();
        assert!(report.recovered.is_empty(), "{fault:?}: {report:?}");
        assert_eq!(report.failed.len(), 1, "{fault:?}: {report:?}");
        // The parity that can still mend it is all there.
        let plan = vault::plan(&scene.storage, &all()).await;
        vault::execute(&scene.storage, &plan).await;
        assert_eq!(scene.content().await, scene.whole, "{fault:?}");
    }
}

/// What was missing when the plan was made and is there now, somebody else has written.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_appears_meanwhile_is_not_written_over() {
    let scene = Scene::new().await;
    vault::delete(&scene.storage, &scene.path).await;
    let plan = vault::plan(&scene.storage, &all()).await;
    assert_eq!(plan.to_recover().count(), 1);
    let status = parity::status(&scene.storage).await.unwrap();
    assert_eq!(status.missing, [(ParityMemberKind::Pack, scene.pack)]);
    vault::put(&scene.storage, &scene.path, b"another's".to_vec()).await;
    let _ = execute(&scene.storage, &plan, None).await;
    assert_eq!(scene.content().await, b"another's");
}

#[tokio::test(flavor = "multi_thread")]
async fn t06_without_its_lock_nothing_is_written() {
    let scene = Scene::new().await;
    let lock = vault::lock(&scene.repository, Access::Exclusive).await;
    let plan = vault::plan(&scene.storage, &all()).await;
    let cancel = CancellationToken::new();
    let making = scene.repository.plan_parity(&exclusive(50), &cancel).await;
    for name in vault::files(&scene.storage, "locks/").await.keys() {
        vault::delete(&scene.storage, name).await;
    }
    let before = vault::files(&scene.storage, "strongroom/").await;
    let lost = execute(&scene.storage, &plan, Some(&lock)).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::LockLost);
    assert_eq!(scene.content().await, scene.damaged);
    let making = making.unwrap();
    let made = scene
        .repository
        .make_parity(&making, &lock, &Silent, &cancel)
        .await;
    assert_eq!(made.unwrap_err().kind(), ErrorKind::LockLost);
    assert_eq!(vault::files(&scene.storage, "strongroom/").await, before);
}

/// A listing that does not show what is there would have it written a second time.
#[tokio::test(flavor = "multi_thread")]
async fn t11_what_a_listing_does_not_show_is_not_lost() {
    let scene = Scene::new().await;
    vault::put(&scene.storage, &scene.path, scene.whole.clone()).await;
    let storage: Arc<dyn Storage> = Arc::new(scene.storage.clone());
    let packs = |asked: &Asked| asked.is(Operation::List, "data");
    let stale = FaultyStorage::every(storage, packs, Fault::Lose);
    assert_eq!(vault::plan(&stale, &all()).await.items(), []);
}

/// Nobody looks for a file where it does not belong.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_folder_is_not_the_file() {
    let scene = Scene::new().await;
    vault::delete(&scene.storage, &scene.path).await;
    let elsewhere = scene.path.replacen("data/", "data/not", 1);
    vault::put(&scene.storage, &elsewhere, scene.whole.clone()).await;
    let by_listing = RecoverOptions {
        read_data: false,
        ..all()
    };
    let plan = vault::plan(&scene.storage, &by_listing).await;
    vault::execute(&scene.storage, &plan).await;
    assert_eq!(scene.content().await, scene.whole);
}

/// Parity is removed in an order that leaves no group without its parity.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_is_stopped_leaves_whole_groups() {
    let scene = Scene::new().await;
    for calls in 0.. {
        let left = scene.storage.fork();
        let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
        let lock = vault::lock(&scene.repository, Access::Exclusive).await;
        let repository = scene.repository.with_storage(Arc::new(faulty));
        let cancel = CancellationToken::new();
        let removed = match repository.plan_parity_removal().await {
            Ok(plan) => {
                repository
                    .remove_parity(&plan, &lock, &Silent, &cancel)
                    .await
            }
            Err(error) => Err(error),
        };
        lock.release().await.unwrap();
        let status = parity::status(&left).await.unwrap();
        assert_eq!(status.groups_weakened, 0, "{calls} calls");
        if removed.is_ok() {
            assert_eq!(status.parity_bytes, 0);
            break;
        }
    }
}

/// A snapshot without its packs would look whole, and a prune would take it at its word.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_others_comes_back_after_them() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(72);
    for kind in [FileKind::Snapshot, FileKind::Index, FileKind::Pack] {
        vault::add(&storage, kind, random.bytes(500)).await;
    }
    vault::make(&repository, &exclusive(5)).await.unwrap();
    let whole = vault::files(&storage, "").await;
    for path in whole.keys() {
        vault::delete(&storage, path).await;
    }
    let recording = RecordingStorage::new(Arc::new(storage.clone()));
    let plan = vault::plan(&recording, &all()).await;
    vault::execute(&recording, &plan).await;
    let written = recording.of(Operation::Write, "");
    let written = written.iter().filter_map(|call| call.path.as_ref());
    let folders: Vec<&str> = written
        .filter_map(|path| path.as_str().split('/').next())
        .collect();
    assert_eq!(folders, ["keys", "config", "data", "index", "snapshots"]);
    assert_eq!(vault::files(&storage, "").await, whole);
}

/// A group that lost one part of several is made anew, by whoever is alone; beside others nothing is removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_lost_a_part_is_made_anew() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(73);
    for _ in 0..10 {
        vault::add(&storage, FileKind::Pack, random.bytes(70_000)).await;
    }
    vault::make(&repository, &exclusive(40)).await.unwrap();
    let groups = vault::groups(&storage).await;
    let (_, group) = groups
        .iter()
        .max_by_key(|group| group.1.part_bytes())
        .unwrap();
    assert_eq!(group.files.len(), 4);
    let part = format!("strongroom/parity/{}", parity_name(&group.files[2].id));
    vault::delete(&storage, &part).await;
    let left = vault::files(&storage, "strongroom/").await;
    vault::make(&repository, &vault::shared()).await.unwrap();
    assert_eq!(vault::files(&storage, "strongroom/").await, left);
    let weakened = async || parity::status(&storage).await.unwrap().groups_weakened;
    assert_eq!(weakened().await, 1);
    let kept = ParityOptions {
        percent: None,
        ..exclusive(40)
    };
    vault::make(&repository, &kept).await.unwrap();
    assert_eq!(weakened().await, 0);
}

/// Where not everything came back, damaged parity may still be of use to somebody.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_parity_stays_as_long_as_something_is_lost() {
    let scene = Scene::new().await;
    let groups = vault::groups(&scene.storage).await;
    let (_, group) = groups
        .iter()
        .max_by_key(|group| group.1.part_bytes())
        .unwrap();
    let part = format!("strongroom/parity/{}", parity_name(&group.files[0].id));
    let mut bytes = vault::get(&scene.storage, &part).await.to_vec();
    bytes[200] ^= 1;
    vault::put(&scene.storage, &part, bytes).await;
    let before = vault::files(&scene.storage, "strongroom/").await;
    let plan = vault::plan(&scene.storage, &all()).await;
    assert_eq!((plan.to_recover().count(), plan.damaged_parity()), (0, 1));
    let report = vault::execute(&scene.storage, &plan).await;
    assert_eq!(report.parity_removed, 0);
    assert_eq!(vault::files(&scene.storage, "strongroom/").await, before);
    assert_eq!(scene.content().await, scene.damaged);
}

/// A file that was cut off is not one that is protected: its group stays, for it is what mends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_a_file_of_another_size_stays() {
    let scene = Scene::new().await;
    vault::put(&scene.storage, &scene.path, scene.whole[..500].to_vec()).await;
    let made = vault::make(&scene.repository, &exclusive(100)).await;
    assert!(made.is_ok());
    let status = parity::status(&scene.storage).await.unwrap();
    assert_eq!(status.missing, [(ParityMemberKind::Pack, scene.pack)]);
    let plan = vault::plan(&scene.storage, &all()).await;
    vault::execute(&scene.storage, &plan).await;
    assert_eq!(scene.content().await, scene.whole);
}
