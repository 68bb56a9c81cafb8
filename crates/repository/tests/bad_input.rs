//! What comes from a storage is hostile until it is decoded. Every file of a repository cut short, flipped, emptied or
//! gone gives a typed error: no panic, no wrong data, nothing changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use secrecy::SecretString;
use strongroom_repository::format::{BlobKind, Id, KeyFile};
use strongroom_repository::index::IndexedBlob;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_storage::{Class, MemoryStorage, Storage, StoragePath, WriteMode};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::engine_backup::backup;
use tokio_util::sync::CancellationToken;

async fn storage_with_a_backup() -> (Arc<MemoryStorage>, Id) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), b"the only copy").unwrap();
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let report = backup(&repository, dir.path(), None).await;
    (storage, report.snapshot_id.unwrap())
}

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

/// Reads everything there is: opening, all snapshots, all indexes, all blobs, all trees.
async fn read_all(storage: &Arc<MemoryStorage>) -> Result<()> {
    let repository = open(storage, PASSWORD).await?;
    let snapshots = repository.load_snapshots(&Silent).await?;
    let index = repository.load_index(&Silent).await?;
    for kind in [BlobKind::Data, BlobKind::Tree] {
        for blob in index.blobs(kind) {
            repository.load_blob(&index, kind, &blob.id).await?;
        }
    }
    for file in snapshots {
        repository.load_tree(&index, &file.snapshot.tree).await?;
    }
    Ok(())
}

async fn replace(storage: &MemoryStorage, path: &StoragePath, content: Vec<u8>) {
    storage
        .write(path, Bytes::from(content), WriteMode::Replace, Class::Data)
        .await
        .unwrap();
}

fn is_typed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Damaged
            | ErrorKind::WrongPassword
            | ErrorKind::NotFound
            | ErrorKind::NoRepository
    )
}

#[tokio::test]
async fn every_file_cut_short_or_flipped_anywhere_is_found() {
    let (storage, _) = storage_with_a_backup().await;
    read_all(&storage).await.unwrap();
    let index = open(&storage, PASSWORD)
        .await
        .unwrap()
        .load_index(&Silent)
        .await
        .unwrap();
    let end = |blobs: Vec<IndexedBlob>| {
        blobs
            .last()
            .map_or(0, |blob| blob.location.offset + blob.location.length)
    };
    let blobs_end: HashMap<String, usize> = index
        .by_pack()
        .into_iter()
        .map(|(pack, blobs)| (pack.to_hex(), end(blobs) as usize))
        .collect();
    for file in storage.list(None).await.unwrap() {
        let path = file.path;
        let whole = storage
            .read(&path, None, Class::Data)
            .await
            .unwrap()
            .to_vec();
        // Packs are read by blob; the header behind is for the day the index is lost.
        let read = blobs_end
            .get(path.file_name())
            .copied()
            .unwrap_or(whole.len());
        let step = (read / 60).max(1);
        for at in (0..read).step_by(step) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            replace(&storage, &path, flipped).await;
            let found = read_all(&storage).await.map_err(|error| error.kind());
            assert!(
                found.is_err_and(is_typed),
                "{path}: bit flipped in byte {at}: {found:?}"
            );
            replace(&storage, &path, whole[..at].to_vec()).await;
            let found = read_all(&storage).await.map_err(|error| error.kind());
            assert!(
                found.is_err_and(is_typed),
                "{path}: cut to {at} bytes: {found:?}"
            );
        }
        replace(&storage, &path, whole).await;
    }
    read_all(&storage).await.unwrap();
}

#[tokio::test]
async fn a_place_without_a_repository_is_told_from_a_damaged_one() {
    let empty = Arc::new(MemoryStorage::new());
    assert_eq!(
        open(&empty, PASSWORD).await.unwrap_err().kind(),
        ErrorKind::NoRepository
    );
    let (storage, _) = storage_with_a_backup().await;
    assert_eq!(
        open(&storage, "wrong").await.unwrap_err().kind(),
        ErrorKind::WrongPassword
    );
    for key in storage
        .list(Some(&StoragePath::new("keys").unwrap()))
        .await
        .unwrap()
    {
        storage.delete(&key.path).await.unwrap();
    }
    assert_eq!(
        open(&storage, PASSWORD).await.unwrap_err().kind(),
        ErrorKind::Damaged
    );
}

#[tokio::test]
async fn a_second_copy_of_a_blob_serves_when_the_first_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), b"the only copy").unwrap();
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    backup(&repository, dir.path(), None).await;
    // Two programs that back the same content up at once both store it.
    let indexes = storage
        .list(Some(&StoragePath::new("index").unwrap()))
        .await
        .unwrap();
    let hidden = storage
        .read(&indexes[0].path, None, Class::Data)
        .await
        .unwrap();
    storage.delete(&indexes[0].path).await.unwrap();
    backup(&repository, dir.path(), None).await;
    replace(&storage, &indexes[0].path, hidden.to_vec()).await;
    let index = repository.load_index(&Silent).await.unwrap();
    let id = Id::of(b"the only copy");
    let packs: Vec<Id> = index
        .locate_all(BlobKind::Data, &id)
        .map(|location| location.pack)
        .collect();
    assert_eq!(packs.len(), 2);
    for pack in packs {
        let path = strongroom_repository::FileKind::Pack.path(&pack).unwrap();
        let whole = storage.read(&path, None, Class::Data).await.unwrap();
        storage.delete(&path).await.unwrap();
        assert_eq!(
            repository
                .load_blob(&index, BlobKind::Data, &id)
                .await
                .unwrap(),
            b"the only copy"
        );
        replace(&storage, &path, whole.to_vec()).await;
    }
}

/// A newer program's repository is left alone: it is neither opened nor called damaged.
#[tokio::test]
async fn t38_a_repository_of_unknown_version_is_told() {
    let (storage, _) = storage_with_a_backup().await;
    let keys = storage
        .list(Some(&StoragePath::new("keys").unwrap()))
        .await
        .unwrap();
    let key = storage
        .read(&keys[0].path, None, Class::Metadata)
        .await
        .unwrap();
    let master = KeyFile::decode(&key)
        .unwrap()
        .unlock(PASSWORD.as_bytes())
        .unwrap()
        .unwrap();
    let newer = br#"{"version":3,"id":"x","chunker":"another"}"#;
    let config = StoragePath::new("config").unwrap();
    replace(&storage, &config, master.seal(newer).unwrap()).await;
    let error = open(&storage, PASSWORD).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error}");
    assert!(error.to_string().contains('3'), "{error}");
}

/// The one file of a folder.
async fn first_of(storage: &MemoryStorage, folder: &str) -> StoragePath {
    let folder = StoragePath::new(folder).unwrap();
    storage.list(Some(&folder)).await.unwrap()[0].path.clone()
}

/// What is asked of a repository to meet the file of that name; the error's kind.
async fn ask(storage: &Arc<MemoryStorage>, folder: &str) -> Option<ErrorKind> {
    let asked = async {
        let repository = open(storage, PASSWORD).await?;
        match folder {
            "snapshots" => repository.load_snapshots(&Silent).await.map(drop),
            "index" => repository.load_index(&Silent).await.map(drop),
            "locks" => {
                let options = FakeHost::new("other", 2).lock_options(&FakeClock::new());
                let cancel = CancellationToken::new();
                let lock = repository.lock(Access::Append, &options, &cancel).await?;
                lock.release().await
            }
            _ => Ok(()),
        }
    };
    asked.await.err().map(|error| error.kind())
}

/// Every bit and every length of every file that others depend on: an error of the right kind, and nothing believed. A lock that
/// cannot be read may be anybody's, so it keeps others out.
#[tokio::test]
async fn t38_every_bit_and_every_cut_of_the_metadata_is_noticed() {
    let (storage, _) = storage_with_a_backup().await;
    let repository = open(&storage, PASSWORD).await.unwrap();
    let options = FakeHost::new("holder", 1).lock_options(&FakeClock::new());
    let cancel = CancellationToken::new();
    let held = repository
        .lock(Access::Append, &options, &cancel)
        .await
        .unwrap();
    for folder in ["config", "keys", "snapshots", "index", "locks"] {
        assert_eq!(ask(&storage, folder).await, None, "{folder}");
        let path = match folder {
            "config" => StoragePath::new(folder).unwrap(),
            _ => first_of(&storage, folder).await,
        };
        let whole = storage
            .read(&path, None, Class::Metadata)
            .await
            .unwrap()
            .to_vec();
        let flips = (0..whole.len() * 8).map(|bit| {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            (format!("bit {bit} flipped"), flipped)
        });
        let cuts =
            (0..whole.len()).map(|length| (format!("cut to {length}"), whole[..length].to_vec()));
        for (how, damaged) in flips.chain(cuts) {
            replace(&storage, &path, damaged).await;
            let found = ask(&storage, folder).await;
            let right = match folder {
                "locks" => found == Some(ErrorKind::Locked),
                _ => found.is_some_and(is_typed),
            };
            assert!(right, "{path}: {how}: {found:?}");
        }
        replace(&storage, &path, whole).await;
    }
    held.release().await.unwrap();
    read_all(&storage).await.unwrap();
}
