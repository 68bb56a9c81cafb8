//! The calls of a storage, with copies kept on the way.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use super::copies::{Copies, cut};
use super::turns::Turns;
use super::{directory, rules};
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, InvalidPath, Result, Retry, Storage,
    StoragePath, WriteMode,
};

/// Sizes that the cache keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Files larger than this are not cached; a read of a range never fetches more than this.
    pub max_file_bytes: u64,
    /// About the size that all copies below the root may have.
    pub max_total_bytes: u64,
}

impl Default for CacheSettings {
    /// Every pack that restic makes fits (128 MiB); 32 GiB hold the metadata of some hundred million files.
    fn default() -> Self {
        Self {
            max_file_bytes: 128 << 20,
            max_total_bytes: 32 << 30,
        }
    }
}

/// Keeps copies of metadata in a local directory. Clones share them. See the module for what it promises.
///
/// A range of a file is served from a copy of all of it, which the first reader fetches, where the file is at most
/// [`CacheSettings::max_file_bytes`] long. Writes go to the storage first, then into the cache.
#[derive(Debug, Clone)]
pub struct CacheStorage {
    inner: Arc<dyn Storage>,
    copies: Arc<Copies>,
    turns: Arc<Turns>,
}

impl CacheStorage {
    /// Caches files of `inner` in `root/name`; touches nothing yet. `name` is to be different for what is different:
    /// the identity of a repository.
    ///
    /// # Errors
    /// [`InvalidPath`] where `name` is no single part of a [`StoragePath`].
    pub fn new(
        inner: Arc<dyn Storage>,
        root: impl Into<PathBuf>,
        name: &str,
        settings: CacheSettings,
    ) -> std::result::Result<Self, InvalidPath> {
        if !directory::is_name(name) {
            return Err(InvalidPath(name.to_owned()));
        }
        Ok(Self {
            inner,
            copies: Arc::new(Copies::new(&root.into(), name, settings)),
            turns: Arc::default(),
        })
    }

    /// Why this process has stopped storing copies, if it has; to be told to the user once.
    pub fn problem(&self) -> Option<String> {
        self.copies.problem()
    }

    /// Drops the copies in a folder (`index`, `snapshots`, `data`) of files that are not in `keep`.
    ///
    /// Listings of these folders and of everything do so by themselves.
    pub async fn retain(&self, folder: &StoragePath, keep: HashSet<StoragePath>) {
        let folder = folder.clone();
        self.blocking(move |copies| copies.retain(&folder, &keep))
            .await;
    }

    /// `None` where the runtime is shutting down.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Copies) -> T + Send + 'static,
    ) -> Option<T> {
        let copies = Arc::clone(&self.copies);
        tokio::task::spawn_blocking(move || work(&copies))
            .await
            .ok()
    }

    async fn copy(&self, path: &StoragePath, range: Option<ByteRange>) -> Option<Bytes> {
        let path = path.clone();
        self.blocking(move |copies| copies.load(&path, range))
            .await
            .flatten()
    }

    /// Reads from the storage, and keeps a copy where that is sensible.
    async fn fetch(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let Some(range) = range else {
            let data = self.inner.read(path, None, class).await?;
            self.keep_read(path, &data).await;
            return Ok(data);
        };
        if !self.is_worth_fetching(path, range).await {
            return self.inner.read(path, Some(range), class).await;
        }
        match self.inner.read(path, None, class).await {
            Ok(data) => match cut(&data, range) {
                Some(part) => {
                    self.keep_read(path, &data).await;
                    Ok(part)
                }
                None => self.inner.read(path, Some(range), class).await,
            },
            // A part of the file may be readable where the whole is not.
            Err(error) if error.retry == Retry::Never && error.kind != ErrorKind::NotFound => {
                self.inner.read(path, Some(range), class).await
            }
            Err(error) => Err(error),
        }
    }

    async fn is_worth_fetching(&self, path: &StoragePath, range: ByteRange) -> bool {
        if !self.copies.may_store(path, range.length) {
            return false;
        }
        match self.inner.stat(path).await {
            Ok(info) => {
                range.check(info.size_bytes).is_ok() && self.copies.may_store(path, info.size_bytes)
            }
            Err(_) => false,
        }
    }

    async fn keep_read(&self, path: &StoragePath, data: &Bytes) {
        let (path, data) = (path.clone(), data.clone());
        self.blocking(move |copies| copies.store_read(&path, &data))
            .await;
    }
}

#[async_trait]
impl Storage for CacheStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        self.inner.create().await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let listed = self.inner.list(folder).await?;
        if !rules::holds_copies(folder) {
            return Ok(listed);
        }
        let folder = folder.cloned();
        let kept = Arc::new(listed);
        let shared = Arc::clone(&kept);
        self.blocking(move |copies| copies.retain_listed(folder.as_ref(), &shared))
            .await;
        Ok(Arc::unwrap_or_clone(kept))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.inner.stat(path).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        if !rules::is_cached(path, class) {
            return self.inner.read(path, range, class).await;
        }
        if self.copies.is_verified(path)
            && let Some(data) = self.copy(path, range).await
        {
            return Ok(data);
        }
        let turn = self.turns.of(path);
        let _turn = turn.lock().await;
        if let Some(data) = self.copy(path, range).await {
            return Ok(data);
        }
        self.fetch(path, range, class).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let is_cached = rules::is_cached(path, class);
        let copy = is_cached.then(|| data.clone());
        self.inner.write(path, data, mode, class).await?;
        if let Some(data) = copy {
            let path = path.clone();
            self.blocking(move |copies| copies.store(&path, &data))
                .await;
        }
        Ok(())
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let result = self.inner.delete(path).await;
        let is_gone = match &result {
            Ok(()) => true,
            Err(error) => error.kind == ErrorKind::NotFound,
        };
        if is_gone && rules::is_cached(path, Class::Metadata) {
            let path = path.clone();
            self.blocking(move |copies| copies.remove(&path)).await;
        }
        result
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        self.inner.hold(path, until).await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        self.inner.remove_empty_folder(folder).await
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.inner.clock_ahead_s()
    }
}
