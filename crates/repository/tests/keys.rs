//! Passwords come and go; the master key, and with it the data, must stay within reach at every moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::RepositoryVersion;
use strongroom_repository::repository::{CreateOptions, OpenOptions, Settings};
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{Class, LocalStorage, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::Restic;
use strongroom_testkit::engine::{PASSWORD, key_owner, new_repository};

const CHEAP: KdfParams = KdfParams { n: 2, r: 1, p: 1 };

async fn open(storage: &Arc<MemoryStorage>, password: &str) -> Result<Repository> {
    let options = OpenOptions {
        threads: 1,
        ..OpenOptions::default()
    };
    Repository::open(
        Arc::<MemoryStorage>::clone(storage),
        &SecretString::from(password),
        &options,
    )
    .await
}

#[tokio::test]
async fn a_key_is_added_listed_and_removed() {
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let id = repository
        .add_key(&SecretString::from("second"), CHEAP, &key_owner())
        .await
        .unwrap();
    let keys = repository.list_keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.iter().filter(|key| key.current).count(), 1);
    assert_eq!(open(&storage, "second").await.unwrap().key_id(), id);
    let own = repository.key_id().to_hex();
    assert_eq!(
        repository.remove_key(&own).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    assert_eq!(
        repository.remove_key("").await.unwrap_err().kind(),
        ErrorKind::Ambiguous
    );
    assert_eq!(
        repository.remove_key("zz").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(repository.remove_key(&id.to_hex()[..8]).await.unwrap(), id);
    assert_eq!(
        open(&storage, "second").await.unwrap_err().kind(),
        ErrorKind::WrongPassword
    );
    open(&storage, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn restic_opens_our_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("repository");
    let repository = new_repository(Arc::new(LocalStorage::new(&path))).await;
    repository
        .add_key(
            &SecretString::from("second pässword"),
            KdfParams::DEFAULT,
            &key_owner(),
        )
        .await
        .unwrap();
    assert_eq!(Restic::new(&path, "second pässword").list("keys").len(), 2);
}

/// A second `init` in the same place must not cost the first repository its key.
#[tokio::test]
async fn a_repository_is_not_made_over_another() {
    let storage = Arc::new(MemoryStorage::new());
    new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let options = CreateOptions {
        version: RepositoryVersion::V2,
        kdf: CHEAP,
        owner: key_owner(),
        polynomial: None,
        settings: Settings::default(),
        threads: 1,
    };
    let create = async |password: &str| {
        let storage = Arc::<MemoryStorage>::clone(&storage);
        let made = Repository::create(storage, &SecretString::from(password), &options).await;
        made.unwrap_err().kind()
    };
    assert_eq!(create("x").await, ErrorKind::RepositoryExists);
    open(&storage, PASSWORD).await.unwrap();
    // What is left where only the configuration is gone may still be put together again.
    storage
        .delete(&StoragePath::new("config").unwrap())
        .await
        .unwrap();
    let pack = StoragePath::new(format!("data/ab/{}", "ab".repeat(32))).unwrap();
    storage
        .write(&pack, vec![1].into(), WriteMode::New, Class::Data)
        .await
        .unwrap();
    assert_eq!(create(PASSWORD).await, ErrorKind::Refused);
    assert_eq!(storage.list(None).await.unwrap().len(), 2);
}
