//! Keeping parity up: what is new is protected, what was removed on purpose is let go, and little is read for it.

use std::sync::Arc;

use strongroom_repository::FileKind;
use strongroom_repository::parity::recover::{RecoverOptions, Verdict};
use strongroom_repository::parity::{self, ParityOptions};
use strongroom_storage::Operation;
use strongroom_testkit::{Random, RecordingStorage};

use crate::vault::{self, all, exclusive, shared};

fn kept() -> ParityOptions {
    ParityOptions {
        exclusive: true,
        ..ParityOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_parity_costs_one_listing() {
    let (repository, storage) = vault::new().await;
    let recording = RecordingStorage::new(Arc::new(storage));
    let repository = repository.with_storage(Arc::new(recording.clone()));
    let lock = vault::lock(&repository, strongroom_repository::lock::Access::Append).await;
    recording.take();
    let progress = strongroom_repository::progress::Silent;
    let cancel = Default::default();
    let report = repository
        .keep_parity(&shared(), &lock, &progress, &cancel)
        .await;
    assert_eq!(report.unwrap(), None);
    assert_eq!(recording.calls().len(), 1);
    assert_eq!(recording.count(Operation::List, "strongroom"), 1);
}

/// Many small backups would leave many small groups, each with a part of its own; merging them anew each time would read
/// everything again and again.
#[tokio::test(flavor = "multi_thread")]
async fn small_groups_are_merged_and_each_file_is_read_few_times() {
    let (repository, storage) = vault::new().await;
    vault::make(&repository, &exclusive(5)).await.unwrap();
    let recording = RecordingStorage::new(Arc::new(storage.clone()));
    let repository = repository.with_storage(Arc::new(recording.clone()));
    let mut random = Random::new(1);
    let mut bytes = 0;
    for _ in 0..64 {
        let pack = random.bytes(70_000);
        bytes += pack.len() as u64;
        vault::add(&storage, FileKind::Pack, pack).await;
        let report = vault::make(&repository, &shared()).await.unwrap();
        assert!(report.groups_made >= 1);
    }
    let status = parity::status(&storage).await.unwrap();
    assert_eq!(status.files_unprotected, 0);
    assert!(status.groups <= 8, "{status:?}");
    let read = recording.bytes(Operation::Read, "data/");
    assert!(read <= 7 * bytes, "{read} of {bytes}");
    // One group of 64 has four parts of the size of one.
    assert!(status.parity_bytes < bytes / 8, "{status:?}");
}

/// A key that was withdrawn must not come back; nor must anything else that somebody removed.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_removed_is_marked_and_never_brought_back() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(2);
    let mut packs = Vec::new();
    for _ in 0..30 {
        packs.push(vault::add(&storage, FileKind::Pack, random.bytes(70_000)).await);
    }
    let key = vault::add(&storage, FileKind::Key, random.bytes(400)).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    let before = vault::groups(&storage).await;
    repository.delete_file(FileKind::Key, &key).await.unwrap();
    repository
        .delete_file(FileKind::Pack, &packs[0])
        .await
        .unwrap();
    let report = vault::keep(&repository, &kept()).await.unwrap();
    // Nothing is read for that: descriptors change and parity stays.
    assert_eq!((report.groups_made, report.groups_removed), (0, 0));
    let after = vault::groups(&storage).await;
    assert_eq!(before.len(), after.len());
    let removed = after.iter().flat_map(|(_, group)| &group.members);
    assert_eq!(removed.filter(|member| member.removed).count(), 2);
    assert_eq!(vault::plan(&storage, &all()).await.items(), []);
    // The others are protected still.
    let whole = vault::files(&storage, "").await;
    for pack in &packs[1..6] {
        vault::delete(&storage, FileKind::Pack.path(pack).unwrap().as_str()).await;
    }
    let plan = vault::plan(&storage, &all()).await;
    assert_eq!(plan.to_recover().count(), 5);
    vault::execute(&storage, &plan).await;
    assert_eq!(vault::files(&storage, "").await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_lost_half_of_its_parts_to_removals_is_made_anew() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(4);
    let mut packs = Vec::new();
    for _ in 0..30 {
        packs.push(vault::add(&storage, FileKind::Pack, random.bytes(70_000)).await);
    }
    vault::make(&repository, &exclusive(20)).await.unwrap();
    for pack in &packs[..4] {
        repository.delete_file(FileKind::Pack, pack).await.unwrap();
    }
    let report = vault::keep(&repository, &kept()).await.unwrap();
    assert_eq!((report.groups_made, report.groups_removed), (1, 1));
    let status = parity::status(&storage).await.unwrap();
    assert_eq!((status.files_unprotected, status.groups_weakened), (0, 0));
    assert_eq!(status.files_unreferenced, 0);
    assert!(status.losses_min >= 2, "{status:?}");
}

/// A file that is lost would lose its protection just when it is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_kept_as_long_as_something_is_missing_that_nothing_explains() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(5);
    let lost = vault::add(&storage, FileKind::Pack, random.bytes(70_000)).await;
    vault::add(&storage, FileKind::Pack, random.bytes(71_000)).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    let whole = vault::files(&storage, "").await;
    let path = FileKind::Pack.path(&lost).unwrap();
    vault::delete(&storage, path.as_str()).await;
    for percent in [None, Some(50)] {
        let options = ParityOptions { percent, ..kept() };
        vault::keep(&repository, &options).await.unwrap();
        let plan = repository
            .plan_parity(&options, &Default::default())
            .await
            .unwrap();
        assert_eq!(plan.missing().len(), 1);
    }
    let plan = vault::plan(&storage, &all()).await;
    vault::execute(&storage, &plan).await;
    assert_eq!(vault::files(&storage, "").await, whole);
    // And once somebody who knows says that it was removed, it is let go.
    vault::delete(&storage, path.as_str()).await;
    let accepted = ParityOptions {
        accept_missing: true,
        ..kept()
    };
    vault::keep(&repository, &accepted).await.unwrap();
    assert_eq!(vault::plan(&storage, &all()).await.items(), []);
}

/// A pack that another program's prune removed is no loss; one that an index names is.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_brought_back_only_if_something_needs_it_or_if_asked() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(6);
    let needed = vault::add(&storage, FileKind::Pack, random.bytes(300)).await;
    let pruned = vault::add(&storage, FileKind::Pack, random.bytes(301)).await;
    let snapshot = vault::add(&storage, FileKind::Snapshot, random.bytes(302)).await;
    vault::make(&repository, &exclusive(5)).await.unwrap();
    for (kind, id) in [
        (FileKind::Pack, needed),
        (FileKind::Pack, pruned),
        (FileKind::Snapshot, snapshot),
    ] {
        vault::delete(&storage, kind.path(&id).unwrap().as_str()).await;
    }
    vault::delete(&storage, "config").await;
    for key in vault::files(&storage, "keys/").await.keys() {
        vault::delete(&storage, key).await;
    }
    let options = RecoverOptions {
        needed: Some(strongroom_repository::parity::recover::Needed {
            packs: [needed].into(),
        }),
        ..RecoverOptions::default()
    };
    let plan = vault::plan(&storage, &options).await;
    let report = vault::execute(&storage, &plan).await;
    let mut kinds: Vec<_> = report
        .recovered
        .iter()
        .map(|(kind, _)| kind.noun())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["config", "key", "pack"]);
    let left = vault::plan(&storage, &options).await;
    let left: Vec<_> = left
        .items()
        .iter()
        .map(|item| (item.id, item.verdict))
        .collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&(pruned, Verdict::NotAskedFor)));
    assert!(left.contains(&(snapshot, Verdict::NotAskedFor)));
}

/// Parity of damaged bytes would bring back the damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_its_name_says_is_left_out_and_the_old_group_stays() {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(9);
    let id = vault::add(&storage, FileKind::Pack, random.bytes(70_000)).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    let whole = vault::files(&storage, "").await;
    let path = FileKind::Pack.path(&id).unwrap();
    let mut damaged = whole[path.as_str()].to_vec();
    damaged[5] ^= 1;
    vault::put(&storage, path.as_str(), damaged).await;
    // The size is right, so a listing shows nothing; the new percentage makes everything anew.
    let report = vault::make(&repository, &exclusive(50)).await.unwrap();
    assert_eq!(report.files_damaged, 1);
    let plan = vault::plan(&storage, &all()).await;
    vault::execute(&storage, &plan).await;
    assert_eq!(vault::files(&storage, "").await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_parity_leaves_nothing_of_it_and_everything_else() {
    let (repository, storage) = vault::new().await;
    vault::make(&repository, &exclusive(5)).await.unwrap();
    let before = vault::files(&storage, "").await;
    vault::put(
        &storage,
        "strongroom/parity/notes.txt",
        b"not ours".to_vec(),
    )
    .await;
    let lock = vault::lock(&repository, strongroom_repository::lock::Access::Exclusive).await;
    let plan = repository.plan_parity_removal().await.unwrap();
    assert_eq!(plan.files(), 2);
    let progress = strongroom_repository::progress::Silent;
    let cancel = Default::default();
    repository
        .remove_parity(&plan, &lock, &progress, &cancel)
        .await
        .unwrap();
    lock.release().await.unwrap();
    let left = vault::files(&storage, "strongroom/").await;
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        ["strongroom/parity/notes.txt"]
    );
    assert_eq!(vault::files(&storage, "").await, before);
}
