//! A repository in memory with files that parity protects.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::format::Id;
use strongroom_repository::format::parity::ParityGroup;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::recover::{self, RecoverOptions, RecoverPlan, RecoverReport};
use strongroom_repository::parity::{ParityOptions, ParityReport};
use strongroom_repository::progress::Silent;
use strongroom_repository::workers::Workers;
use strongroom_repository::{FileKind, Repository, Result};
use strongroom_storage::{Class, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::{FakeClock, FakeHost, new_repository};
use tokio_util::sync::CancellationToken;

pub type Files = BTreeMap<String, Bytes>;

pub fn exclusive(percent: u8) -> ParityOptions {
    ParityOptions {
        percent: Some(percent),
        exclusive: true,
        accept_missing: false,
    }
}

pub fn shared() -> ParityOptions {
    ParityOptions::default()
}

pub async fn lock(repository: &Repository, access: Access) -> Lock {
    let options = FakeHost::new("testhost", 1).lock_options(&FakeClock::new());
    let cancel = CancellationToken::new();
    repository.lock(access, &options, &cancel).await.unwrap()
}

/// Plans and carries out, under the lock that the options ask for.
pub async fn make(repository: &Repository, options: &ParityOptions) -> Result<ParityReport> {
    let cancel = CancellationToken::new();
    let access = match options.exclusive {
        true => Access::Exclusive,
        false => Access::Append,
    };
    let lock = lock(repository, access).await;
    let plan = repository.plan_parity(options, &cancel).await;
    let made = match plan {
        Ok(plan) => repository.make_parity(&plan, &lock, &Silent, &cancel).await,
        Err(error) => Err(error),
    };
    let _ = lock.release().await;
    made
}

pub async fn keep(repository: &Repository, options: &ParityOptions) -> Option<ParityReport> {
    let lock = lock(repository, Access::Exclusive).await;
    let cancel = CancellationToken::new();
    let kept = repository
        .keep_parity(options, &lock, &Silent, &cancel)
        .await
        .unwrap();
    lock.release().await.unwrap();
    kept
}

pub async fn plan(storage: &dyn Storage, options: &RecoverOptions) -> RecoverPlan {
    let workers = Workers::new(2).unwrap();
    recover::plan(
        storage,
        &workers,
        options,
        &Silent,
        &CancellationToken::new(),
    )
    .await
    .unwrap()
}

pub async fn execute(storage: &dyn Storage, plan: &RecoverPlan) -> RecoverReport {
    let workers = Workers::new(2).unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    plan.execute(
        storage,
        &workers,
        None,
        now,
        &Silent,
        &CancellationToken::new(),
    )
    .await
    .unwrap()
}

/// Everything that is missing is wanted back, and everything is read.
pub fn all() -> RecoverOptions {
    RecoverOptions {
        read_data: true,
        missing: true,
        needed: None,
        replace_config: true,
    }
}

pub async fn new() -> (Repository, MemoryStorage) {
    let storage = MemoryStorage::new();
    (new_repository(Arc::new(storage.clone())).await, storage)
}

/// Stores bytes as a file of the repository; parity never looks inside.
pub async fn add(storage: &dyn Storage, kind: FileKind, bytes: Vec<u8>) -> Id {
    let id = Id::of(&bytes);
    let path = kind.path(&id).unwrap();
    put(storage, path.as_str(), bytes).await;
    id
}

pub async fn put(storage: &dyn Storage, path: &str, bytes: Vec<u8>) {
    let path = StoragePath::new(path).unwrap();
    storage
        .write(&path, Bytes::from(bytes), WriteMode::Replace, Class::Data)
        .await
        .unwrap();
}

pub async fn delete(storage: &dyn Storage, path: &str) {
    storage
        .delete(&StoragePath::new(path).unwrap())
        .await
        .unwrap();
}

pub async fn get(storage: &dyn Storage, path: &str) -> Bytes {
    let path = StoragePath::new(path).unwrap();
    storage.read(&path, None, Class::Data).await.unwrap()
}

/// Every file below a folder, or of the repository itself without locks and what is ours.
pub async fn files(storage: &dyn Storage, folder: &str) -> Files {
    let mut files = Files::new();
    for file in storage.list(None).await.unwrap() {
        let path = file.path.as_str();
        let ours = path.starts_with("strongroom/") || path.starts_with("locks/");
        if (folder.is_empty() && !ours) || (!folder.is_empty() && path.starts_with(folder)) {
            files.insert(path.to_owned(), get(storage, path).await);
        }
    }
    files
}

/// Every group with the name of its descriptor.
pub async fn groups(storage: &dyn Storage) -> Vec<(String, ParityGroup)> {
    let parity = files(storage, "strongroom/parity/").await;
    let descriptors = parity
        .into_iter()
        .filter(|(name, _)| name.ends_with(".group"));
    descriptors
        .map(|(name, bytes)| (name, ParityGroup::decode(&bytes).unwrap()))
        .collect()
}
