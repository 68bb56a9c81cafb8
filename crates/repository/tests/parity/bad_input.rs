//! Parity that was cut off, altered or forged, and storages that cannot hold it.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::format::Id;
use strongroom_repository::format::parity::{
    ParityGroup, ParityMemberKind, group_name, parity_name,
};
use strongroom_repository::parity::recover::{RecoverOptions, Verdict};
use strongroom_repository::parity::{self, ParityOptions};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{ErrorKind as StorageKind, MemoryStorage, Operation, Retry};
use strongroom_testkit::{Asked, Fault, FaultyStorage, Random, ResticLayoutStorage};
use tokio_util::sync::CancellationToken;

use crate::vault::{self, all, exclusive};

async fn made() -> (Repository, MemoryStorage, String) {
    let (repository, storage) = vault::new().await;
    let mut random = Random::new(11);
    vault::add(&storage, FileKind::Pack, random.bytes(100_000)).await;
    vault::add(&storage, FileKind::Pack, random.bytes(300_000)).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    let groups = vault::groups(&storage).await;
    let (name, _) = groups
        .iter()
        .find(|(_, group)| group.part_bytes() > 100_000)
        .unwrap();
    let name = name.clone();
    (repository, storage, name)
}

/// Protection that is only believed to be there is worse than none.
#[tokio::test(flavor = "multi_thread")]
async fn a_descriptor_that_is_cut_off_or_altered_is_reported_and_made_anew() {
    let (repository, whole, name) = made().await;
    let before = vault::files(&whole, "").await;
    let descriptor = vault::get(&whole, &name).await.to_vec();
    let mut damaged = vec![Vec::new(), descriptor[..descriptor.len() / 2].to_vec()];
    for at in (0..descriptor.len()).step_by(descriptor.len() / 10) {
        let mut altered = descriptor.clone();
        altered[at] ^= 4;
        damaged.push(altered);
    }
    for bytes in damaged {
        let storage = whole.fork();
        vault::put(&storage, &name, bytes).await;
        let status = parity::status(&storage).await.unwrap();
        assert_eq!(status.unreadable.len(), 1);
        assert_eq!((status.files_unprotected, status.missing.len()), (2, 0));
        let plan = vault::plan(&storage, &all()).await;
        assert_eq!((plan.items().len(), plan.unreadable().len()), (0, 1));
        let repository = repository.with_storage(Arc::new(storage.clone()));
        // Under a shared lock nothing is removed.
        vault::make(&repository, &vault::shared()).await.unwrap();
        vault::make(&repository, &exclusive(20)).await.unwrap();
        let status = parity::status(&storage).await.unwrap();
        assert_eq!((status.unreadable.len(), status.files_unprotected), (0, 0));
        assert_eq!(status.files_unreferenced, 0);
        assert_eq!(vault::files(&storage, "").await, before);
    }
}

/// A later version's descriptor is not ours to judge, and the parity that it may name is not waste.
#[tokio::test(flavor = "multi_thread")]
async fn a_descriptor_of_another_version_is_left_alone_with_its_parity() {
    let (repository, storage, name) = made().await;
    let text = String::from_utf8(vault::get(&storage, &name).await.to_vec()).unwrap();
    let later = text.replace("\"version\":1", "\"version\":2");
    assert_ne!(later, text);
    vault::delete(&storage, &name).await;
    let id = Id::of(later.as_bytes());
    let later_name = format!("strongroom/parity/{}", group_name(&id));
    vault::put(&storage, &later_name, later.into_bytes()).await;
    let ours = vault::files(&storage, "strongroom/").await;
    // With another member the parity that is made now has other names.
    vault::add(&storage, FileKind::Pack, vec![1; 300_001]).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    let after = vault::files(&storage, "strongroom/").await;
    for (name, bytes) in ours {
        assert_eq!(after.get(&name), Some(&bytes), "{name}");
    }
    assert_eq!(parity::status(&storage).await.unwrap().unreadable.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parity_that_is_missing_or_damaged_is_found_and_costs_nothing_else() {
    let (repository, whole, name) = made().await;
    let group = ParityGroup::decode(&vault::get(&whole, &name).await).unwrap();
    let parity: Vec<String> = group
        .files
        .iter()
        .map(|file| format!("strongroom/parity/{}", parity_name(&file.id)))
        .collect();
    let before = vault::files(&whole, "").await;
    // Missing or short: a listing shows it.
    for cut in [None, Some(1000)] {
        let storage = whole.fork();
        match cut {
            None => vault::delete(&storage, &parity[0]).await,
            Some(length) => {
                let bytes = vault::get(&storage, &parity[0]).await[..length].to_vec();
                vault::put(&storage, &parity[0], bytes).await;
            }
        }
        assert_eq!(parity::status(&storage).await.unwrap().groups_weakened, 1);
        let repository = repository.with_storage(Arc::new(storage.clone()));
        vault::make(&repository, &exclusive(20)).await.unwrap();
        assert_eq!(parity::status(&storage).await.unwrap().groups_weakened, 0);
        assert_eq!(vault::files(&storage, "").await, before);
    }
    // Altered: whoever reads it sees it.
    let length = vault::get(&whole, &parity[0]).await.len();
    for at in [0, length / 2, length - 1] {
        let storage = whole.fork();
        let mut bytes = vault::get(&storage, &parity[0]).await.to_vec();
        bytes[at] ^= 1;
        vault::put(&storage, &parity[0], bytes).await;
        let plan = vault::plan(&storage, &all()).await;
        assert_eq!(plan.damaged_parity(), 1, "byte {at}");
        let damaged = plan
            .items()
            .iter()
            .any(|item| item.verdict == Verdict::Recover);
        assert!(!damaged, "byte {at}");
        vault::execute(&storage, &plan).await;
        assert_eq!(vault::files(&storage, "").await, before);
    }
}

/// Whoever can write to the storage could put another file under a name that is trusted.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_descriptor_brings_nothing_in() {
    let (_, storage, name) = made().await;
    let mut group = ParityGroup::decode(&vault::get(&storage, &name).await).unwrap();
    let forged = Id::of(b"something that was never stored");
    group.members[0].id = forged;
    group.members[0].kind = ParityMemberKind::Index;
    let descriptor = group.encode().unwrap();
    let forged_name = group_name(&Id::of(&descriptor));
    vault::put(
        &storage,
        &format!("strongroom/parity/{forged_name}"),
        descriptor,
    )
    .await;
    let before = vault::files(&storage, "").await;
    let plan = vault::plan(&storage, &all()).await;
    assert!(plan.to_recover().any(|item| item.id == forged));
    let report = vault::execute(&storage, &plan).await;
    assert_eq!((report.recovered.len(), report.failed.len()), (0, 1));
    assert_eq!(vault::files(&storage, "").await, before);
}

/// The one that is there may be newer, and without it nothing opens.
#[tokio::test(flavor = "multi_thread")]
async fn another_config_is_replaced_only_if_asked_and_kept_aside() {
    let (_, storage, _) = made().await;
    let before = vault::files(&storage, "").await;
    vault::put(&storage, "config", b"something else".to_vec()).await;
    let plan = vault::plan(&storage, &RecoverOptions::default()).await;
    assert_eq!(plan.items().len(), 1);
    assert_eq!(plan.items()[0].verdict, Verdict::OtherConfig);
    vault::execute(&storage, &plan).await;
    assert_eq!(
        vault::get(&storage, "config").await,
        Bytes::from_static(b"something else")
    );
    // Where the repository opens, it is good.
    let opened = RecoverOptions {
        needed: Some(Default::default()),
        ..RecoverOptions::default()
    };
    assert_eq!(vault::plan(&storage, &opened).await.items(), []);
    let asked = RecoverOptions {
        replace_config: true,
        ..RecoverOptions::default()
    };
    let plan = vault::plan(&storage, &asked).await;
    let report = vault::execute(&storage, &plan).await;
    assert_eq!(vault::files(&storage, "").await, before);
    let aside = format!("strongroom/quarantine/{}", report.quarantined[0]);
    assert_eq!(
        vault::get(&storage, &aside).await,
        Bytes::from_static(b"something else")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_hold_parity_says_so_before_anything_is_written() {
    let (repository, storage) = vault::new().await;
    let before = vault::files(&storage, "").await;
    let refusing = Arc::new(ResticLayoutStorage::new(Arc::new(storage.clone())));
    let repository = repository.with_storage(refusing.clone());
    let refused = vault::make(&repository, &exclusive(5)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(vault::keep(&repository, &vault::shared()).await, None);
    assert_eq!(parity::status(&*refusing).await.unwrap().percent, None);
    assert_eq!(vault::files(&storage, "").await, before);
    assert_eq!(vault::files(&storage, "strongroom/").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_percentage_is_needed_and_has_bounds() {
    let (repository, _) = vault::new().await;
    for percent in [None, Some(0), Some(101)] {
        let options = ParityOptions {
            percent,
            ..exclusive(5)
        };
        let refused = vault::make(&repository, &options).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
}

/// A connection that breaks says nothing about a file: what is whole would be taken for damaged.
#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_be_reached_is_no_damage() {
    let (_, storage, _) = made().await;
    for (kind, retry) in [
        (StorageKind::Unreachable, Retry::Never),
        (StorageKind::TimedOut, Retry::Later),
        // Too many open files, not enough memory.
        (StorageKind::Io, Retry::Later),
    ] {
        for folder in ["data/", "config"] {
            let is_there = |asked: &Asked| asked.is(Operation::Read, folder);
            let fault = Fault::Fail(kind, retry);
            let faulty = FaultyStorage::every(Arc::new(storage.fork()), is_there, fault);
            let workers = strongroom_repository::workers::Workers::new(1).unwrap();
            let progress = strongroom_repository::progress::Silent;
            let cancel = CancellationToken::new();
            let options = all();
            let plan = parity::recover::plan(&faulty, &workers, &options, &progress, &cancel);
            assert_eq!(plan.await.unwrap_err().kind(), ErrorKind::Storage);
        }
    }
}
