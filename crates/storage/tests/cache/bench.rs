//! A storage in memory that records, and a directory for caches of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use strongroom_storage::{
    ByteRange, CacheSettings, CacheStorage, Class, MemoryStorage, Storage, StoragePath, WriteMode,
};
use strongroom_testkit::RecordingStorage;
use tempfile::TempDir;

/// What a test of the cache needs.
pub struct Bench {
    /// The storage behind all.
    pub memory: MemoryStorage,
    /// What the caches ask of it.
    pub recording: RecordingStorage,
    folder: TempDir,
    root: PathBuf,
}

impl Bench {
    /// An empty storage and no cache yet.
    pub fn new() -> Self {
        Self::with_folder(tempfile::tempdir().unwrap())
    }

    /// The same with the cache in `folder/cache`.
    pub fn with_folder(folder: TempDir) -> Self {
        let memory = MemoryStorage::new();
        let root = folder.path().join("cache");
        Self {
            recording: RecordingStorage::new(Arc::new(memory.clone())),
            memory,
            folder,
            root,
        }
    }

    /// The root of the cache.
    pub fn root(&self) -> &Path {
        assert!(self.root.starts_with(self.folder.path()));
        &self.root
    }

    /// A cache as a new process has it.
    pub fn cache(&self) -> CacheStorage {
        self.cache_with(CacheSettings::default())
    }

    pub fn cache_with(&self, settings: CacheSettings) -> CacheStorage {
        CacheStorage::new(
            Arc::new(self.recording.clone()),
            self.root(),
            "name",
            settings,
        )
        .unwrap()
    }

    /// A file in the storage, past the cache and the recording.
    pub async fn stored(&self, folder: &str, seed: u64, length: usize) -> (StoragePath, Bytes) {
        let (path, data) = hash_name(folder, seed, length);
        self.put(&path, data.clone()).await;
        (path, data)
    }

    pub async fn put(&self, path: &StoragePath, data: Bytes) {
        let write = self
            .memory
            .write(path, data, WriteMode::New, Class::Metadata);
        write.await.unwrap();
    }

    /// Where the copy of a file is.
    pub fn copy(&self, path: &StoragePath) -> PathBuf {
        let copy = self.root().join("name").join(path.as_str());
        assert!(copy.is_file(), "{path} is not cached");
        copy
    }

    /// The files that have a copy.
    pub fn copies(&self) -> Vec<StoragePath> {
        let mut files = Vec::new();
        let mut folders = vec![self.root().join("name")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            for entry in entries.map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name() != "last-used" {
                    files.push(entry.path());
                }
            }
        }
        let name = |file: PathBuf| {
            let inside = file.strip_prefix(self.root().join("name")).unwrap();
            StoragePath::new(inside.to_str().unwrap()).unwrap()
        };
        files.into_iter().map(name).collect()
    }
}

/// A file whose name is the hash of its content.
pub fn hash_name(folder: &str, seed: u64, length: usize) -> (StoragePath, Bytes) {
    let bytes = (0..length as u64).map(|i| (i.wrapping_mul(i + seed + 3) >> 3) as u8 ^ seed as u8);
    let data: Bytes = bytes.collect();
    let hash = HEXLOWER.encode(&Sha256::digest(&data));
    (StoragePath::new(format!("{folder}/{hash}")).unwrap(), data)
}

pub fn pack(seed: u64, length: usize) -> (StoragePath, Bytes) {
    hash_name("data/ab", seed, length)
}

pub fn range(offset: u64, length: u64) -> Option<ByteRange> {
    Some(ByteRange { offset, length })
}

/// Reads a part and the whole, and compares.
pub async fn read_all(storage: &dyn Storage, path: &StoragePath, data: &Bytes) {
    let part = storage
        .read(path, range(3, 500), Class::Metadata)
        .await
        .unwrap();
    assert_eq!(part, data[3..503]);
    let whole = storage.read(path, None, Class::Metadata).await.unwrap();
    assert!(whole == *data);
}
