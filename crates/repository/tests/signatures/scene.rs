//! A repository whose snapshots are signed, and what an attacker does to it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_repository::format::{Id, Snapshot, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::progress::Silent;
use strongroom_repository::signature::{
    Link, SignatureAlgorithm, SignatureOptions, SignatureReport, Signer, SigningKey, VerifyingKey,
};
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{Class, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::{self, FakeClock, FakeHost};
use tokio_util::sync::CancellationToken;

pub const FOLDER: &str = "strongroom/signatures";

/// Ada's key signs; the repository lies in memory.
pub struct Scene {
    pub storage: MemoryStorage,
    pub key: SigningKey,
    /// Opened without a signer.
    pub plain: Repository,
    /// Opened with one.
    pub signed: Repository,
}

impl Scene {
    pub async fn new() -> Self {
        let storage = MemoryStorage::new();
        let plain = engine::new_repository(Arc::new(storage.clone())).await;
        let key = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
        let signed = signed(&plain, &key, &[]);
        Self {
            storage,
            key,
            plain,
            signed,
        }
    }

    /// With so many published snapshots.
    pub async fn with(snapshots: i64) -> (Self, Vec<Id>) {
        let scene = Self::new().await;
        let mut ids = Vec::new();
        for number in 0..snapshots {
            ids.push(publish(&scene.signed, number).await);
        }
        (scene, ids)
    }

    /// The same repository as another process opens it, over another storage.
    pub fn over(&self, storage: impl Storage + 'static) -> Repository {
        let plain = self.plain.with_storage(Arc::new(storage));
        signed(&plain, &self.key, &[])
    }

    pub async fn verify(&self) -> SignatureReport {
        verify(&self.plain, &[self.key.verifying_key()], &[]).await
    }

    /// The words of the findings, in order.
    pub async fn words(&self) -> Vec<&'static str> {
        words(&self.verify().await)
    }

    pub async fn files(&self) -> Vec<String> {
        files(&self.storage).await
    }

    pub async fn read(&self, path: &str) -> Vec<u8> {
        let path = StoragePath::new(path).unwrap();
        let read = self.storage.read(&path, None, Class::Metadata).await;
        read.unwrap().to_vec()
    }

    pub async fn put(&self, path: &str, data: &[u8]) {
        let path = StoragePath::new(path).unwrap();
        let data = Bytes::copy_from_slice(data);
        let written = self
            .storage
            .write(&path, data, WriteMode::Replace, Class::Metadata)
            .await;
        written.unwrap();
    }

    pub async fn delete(&self, path: &str) {
        let path = StoragePath::new(path).unwrap();
        self.storage.delete(&path).await.unwrap();
    }
}

/// Names in the folder of signatures, in order.
pub async fn files(storage: &MemoryStorage) -> Vec<String> {
    let folder = StoragePath::new(FOLDER).unwrap();
    let files = storage.list(Some(&folder)).await.unwrap();
    let mut names: Vec<String> = files
        .iter()
        .map(|file| file.path.as_str()[FOLDER.len() + 1..].to_owned())
        .collect();
    names.sort();
    names
}

pub fn snapshot_path(id: &Id) -> String {
    format!("{}/{id}", FileKind::Snapshot.folder())
}

pub fn signed(plain: &Repository, key: &SigningKey, remembered: &[Link]) -> Repository {
    signed_beside(plain, key, Vec::new(), remembered)
}

pub fn signed_beside(
    plain: &Repository,
    key: &SigningKey,
    others: Vec<VerifyingKey>,
    remembered: &[Link],
) -> Repository {
    let clock = FakeClock::new();
    let signer = Signer::new(key.clone(), others, remembered.to_vec(), clock);
    plain.with_signer(Arc::new(signer))
}

pub async fn verify(
    repository: &Repository,
    keys: &[VerifyingKey],
    remembered: &[Link],
) -> SignatureReport {
    let options = SignatureOptions {
        keys: keys.to_vec(),
        remembered: remembered.to_vec(),
    };
    repository
        .verify_signatures(&options, &Silent, &CancellationToken::new())
        .await
        .unwrap()
}

pub fn words(report: &SignatureReport) -> Vec<&'static str> {
    report
        .findings
        .iter()
        .map(|finding| finding.word())
        .collect()
}

/// Nothing wrong, and every snapshot signed.
#[track_caller]
pub fn assert_clean(report: &SignatureReport, when: &str) {
    assert_eq!(report.findings, [], "{when}");
    assert_eq!(report.signed, report.present, "{when}");
}

pub fn snapshot(number: i64) -> Snapshot {
    Snapshot {
        time: Time::utc(Timestamp::from_second(1_800_000_000 + number).unwrap()),
        parent: None,
        tree: Id::of(b"tree"),
        paths: vec!["/data".into()],
        hostname: "ada".into(),
        username: "ada".into(),
        uid: 1,
        gid: 2,
        excludes: Vec::new(),
        tags: Vec::new(),
        original: None,
        program_version: "test".into(),
        summary: None,
    }
}

/// A lock that no other stands in the way of: those of dead processes are not the matter of these tests.
pub async fn lock(repository: &Repository, access: Access) -> Lock {
    for file in repository.list(FileKind::Lock).await.unwrap() {
        let _ = repository.delete_file(FileKind::Lock, &file.id).await;
    }
    try_lock(repository, access).await.unwrap()
}

pub async fn try_lock(
    repository: &Repository,
    access: Access,
) -> strongroom_repository::Result<Lock> {
    let options = FakeHost::new("here", 1).lock_options(&FakeClock::new());
    repository
        .lock(access, &options, &CancellationToken::new())
        .await
}

pub async fn publish(repository: &Repository, number: i64) -> Id {
    let lock = lock(repository, Access::Append).await;
    let id = repository.publish_snapshot(&snapshot(number), &lock).await;
    lock.release().await.unwrap();
    id.unwrap()
}

pub async fn remove(repository: &Repository, ids: &[Id]) {
    let lock = lock(repository, Access::Exclusive).await;
    let removed = repository.remove_snapshots(ids, &lock).await;
    lock.release().await.unwrap();
    removed.unwrap();
}

pub async fn accept(repository: &Repository) {
    let cancel = CancellationToken::new();
    let lock = lock(repository, Access::Exclusive).await;
    let plan = repository.plan_accept(&Silent, &cancel).await.unwrap();
    plan.execute(repository, &lock).await.unwrap();
    lock.release().await.unwrap();
}

pub async fn compact(repository: &Repository) {
    let cancel = CancellationToken::new();
    let lock = lock(repository, Access::Exclusive).await;
    let plan = repository.plan_compact(&Silent, &cancel).await.unwrap();
    plan.execute(repository, &lock).await.unwrap();
    lock.release().await.unwrap();
}

pub async fn sign_all(repository: &Repository) {
    let cancel = CancellationToken::new();
    let lock = lock(repository, Access::Append).await;
    let plan = repository.plan_sign(&[], &Silent, &cancel).await.unwrap();
    plan.execute(repository, &lock).await.unwrap();
    lock.release().await.unwrap();
}
