//! Passwords come and go; the master key, and with it the data, must stay within reach at every moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{LocalStorage, MemoryStorage, Storage};
use strongroom_testkit::engine::{PASSWORD, key_owner, new_repository};
use strongroom_testkit::{FaultyStorage, Restic};

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

/// Whatever call fails while the password is changed, one of the two opens the repository.
#[tokio::test]
async fn a_change_of_password_that_is_cut_off_locks_nobody_out() {
    for calls in 0.. {
        let storage = Arc::new(MemoryStorage::new());
        new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
        let repository = open(&storage, PASSWORD).await.unwrap();
        let faulty = Arc::new(FaultyStorage::stops_after(
            Arc::<MemoryStorage>::clone(&storage),
            calls,
        ));
        let changed = repository
            .with_storage(faulty)
            .change_password(&SecretString::from("new"), CHEAP, &key_owner())
            .await;
        let (old, new) = (open(&storage, PASSWORD).await, open(&storage, "new").await);
        if changed.is_ok() {
            assert_eq!(old.unwrap_err().kind(), ErrorKind::WrongPassword);
            new.unwrap();
            assert!(calls >= 3, "write, read back, delete");
            return;
        }
        assert!(old.is_ok() || new.is_ok(), "locked out after {calls} calls");
    }
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

/// A repository that is half made must not look like one, and must not be in the way of the next attempt.
#[tokio::test]
async fn t25_a_repository_appears_whole_or_not_at_all() {
    for calls in 0.. {
        let storage = Arc::new(MemoryStorage::new());
        let faulty = Arc::new(FaultyStorage::stops_after(
            Arc::<MemoryStorage>::clone(&storage),
            calls,
        ));
        let options = strongroom_repository::repository::CreateOptions {
            version: strongroom_repository::format::RepositoryVersion::V2,
            kdf: CHEAP,
            owner: key_owner(),
            polynomial: None,
            settings: strongroom_repository::repository::Settings::default(),
            threads: 1,
        };
        let made = Repository::create(faulty, &SecretString::from(PASSWORD), &options).await;
        if made.is_ok() {
            open(&storage, PASSWORD).await.unwrap();
            let error = Repository::create(
                Arc::<MemoryStorage>::clone(&storage),
                &SecretString::from("x"),
                &options,
            )
            .await;
            assert_eq!(error.unwrap_err().kind(), ErrorKind::RepositoryExists);
            return;
        }
        assert_eq!(
            open(&storage, PASSWORD).await.unwrap_err().kind(),
            ErrorKind::NoRepository,
            "after {calls} calls"
        );
        let written = storage.list(None).await.unwrap();
        assert!(
            written
                .iter()
                .all(|file| !file.path.as_str().starts_with("config")),
            "{written:?}"
        );
        // The next attempt succeeds where this one was cut off, and its key is the one that opens.
        Repository::create(
            Arc::<MemoryStorage>::clone(&storage),
            &SecretString::from(PASSWORD),
            &options,
        )
        .await
        .unwrap();
        open(&storage, PASSWORD).await.unwrap();
    }
}
