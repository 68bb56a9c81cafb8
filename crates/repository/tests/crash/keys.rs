//! The files without which nothing can be decrypted: config and keys. One password opens the repository at every moment
//! (T-20), or there is none yet (T-25).

use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::RepositoryVersion;
use strongroom_repository::repository::{CreateOptions, OpenOptions, Settings};
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use strongroom_testkit::engine::{PASSWORD, key_owner};

use crate::scene::Scene;

const CHEAP: KdfParams = KdfParams { n: 2, r: 1, p: 1 };
const NEW: &str = "another horse";

async fn open(storage: &Arc<dyn Storage>, password: &str) -> Result<Repository> {
    let options = OpenOptions {
        threads: 1,
        ..OpenOptions::default()
    };
    let password = SecretString::from(password);
    Repository::open(Arc::clone(storage), &password, &options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t20_t25_an_init() {
    let init = async |attempt: Attempt| {
        let options = CreateOptions {
            version: RepositoryVersion::V2,
            kdf: CHEAP,
            owner: key_owner(),
            polynomial: None,
            settings: Settings::default(),
            threads: 1,
        };
        let storage = attempt.storage;
        let password = SecretString::from(PASSWORD);
        match Repository::create(Arc::clone(&storage), &password, &options).await {
            // The one that was stopped had come to its end.
            Err(error) if error.kind() == ErrorKind::RepositoryExists => {
                open(&storage, PASSWORD).await.map_err(|_| error).map(drop)
            }
            done => done.map(drop),
        }
    };
    let tried = CrashPoints::new("init", &MemoryStorage::missing())
        .run(init)
        .await;
    assert_eq!(tried.changes, 2, "a key and the config");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t20_a_new_key() {
    let scene = Scene::with_snapshots().await;
    let add = async |attempt: Attempt| {
        let repository = open(&attempt.storage, PASSWORD).await?;
        let password = SecretString::from(NEW);
        let added = repository.add_key(&password, CHEAP, &key_owner()).await;
        // What returned without an error opens, whatever the storage did.
        if added.is_ok() {
            open(&attempt.storage, NEW).await?;
        }
        added.map(drop)
    };
    let tried = CrashPoints::new("key add", &scene.storage).run(add).await;
    assert_eq!(tried.changes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t20_a_change_of_password() {
    let scene = Scene::with_snapshots().await;
    let change = async |attempt: Attempt| {
        let repository = match open(&attempt.storage, PASSWORD).await {
            Err(error) if error.kind() == ErrorKind::WrongPassword => {
                return open(&attempt.storage, NEW).await.map(drop);
            }
            opened => opened?,
        };
        let (password, owner) = (SecretString::from(NEW), key_owner());
        let changed = repository.change_password(&password, CHEAP, &owner);
        changed.await.map(drop)
    };
    let points = CrashPoints {
        passwords: &[PASSWORD, NEW],
        ..CrashPoints::new("key passwd", &scene.storage)
    };
    let tried = points.run(change).await;
    assert_eq!(tried.changes, 2, "the new key and the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t20_a_key_removed() {
    let scene = Scene::with_snapshots().await;
    let (password, owner) = (SecretString::from(NEW), key_owner());
    let added = scene.repository.add_key(&password, CHEAP, &owner);
    let prefix = added.await.unwrap().to_hex();
    let remove = async |attempt: Attempt| {
        let repository = open(&attempt.storage, PASSWORD).await?;
        match repository.remove_key(&prefix).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done.map(drop),
        }
    };
    let points = CrashPoints::new("key remove", &scene.storage);
    assert_eq!(points.run(remove).await.changes, 1);
}
