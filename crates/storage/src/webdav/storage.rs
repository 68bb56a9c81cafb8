//! The calls of a storage.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::client::WebdavClient;
use super::failure::{is_folder_not, no_storage, no_such_file};
use super::folders::{self, Folders};
use super::look::{Thing, look};
use super::read;
use super::walk;
use super::write::{Job, good};
use crate::failure::Failure;
use crate::{
    ByteRange, Capabilities, Class, FileInfo, Operation, Result, Storage, StoragePath, WriteMode,
};

/// Result of a step that does not know yet which call it belongs to.
type Step<T> = std::result::Result<T, Failure>;

/// A folder on a WebDAV server. See the module for what it promises.
#[derive(Debug)]
pub(crate) struct WebdavStorage {
    client: Arc<WebdavClient>,
    folders: Folders,
    /// Temporary files that a listing has shown and whose writes are no more.
    stale: Mutex<Vec<String>>,
    location: String,
    connections: usize,
}

impl WebdavStorage {
    /// The storage behind a client; asks nothing yet.
    pub(crate) fn new(client: WebdavClient, location: String, connections: usize) -> Self {
        Self {
            client: Arc::new(client),
            folders: Folders::default(),
            stale: Mutex::default(),
            location,
            connections,
        }
    }

    async fn list_below(&self, folder: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        let found = walk::below(&self.client, folder, self.connections).await?;
        let Some(found) = found else {
            self.folders.forget();
            return match look(&self.client, "").await? {
                Thing::Folder if folder.is_some() => Ok(Vec::new()),
                Thing::File { .. } => Err(is_folder_not()),
                Thing::Folder | Thing::Nothing => Err(no_storage()),
            };
        };
        self.folders
            .seen(found.folders.iter().map(StoragePath::as_str));
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        stale.extend(found.stale);
        Ok(found.files)
    }

    async fn store(&self, path: &StoragePath, data: &Bytes, mode: WriteMode) -> Step<()> {
        self.remove_stale().await;
        let job = Job {
            client: &self.client,
            folders: &self.folders,
            path,
            mode,
        };
        job.run(data).await
    }

    /// Only those who change something anyway do this, never one who just reads. Whether it works is of no concern to the
    /// call; the next listing sees what is left.
    async fn remove_stale(&self) {
        let stale = std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
        for name in stale {
            if let Ok(response) = self.client.remove(&name).await {
                response.discard().await;
            }
        }
    }

    /// `DELETE` takes a folder with all that lies in it, so nothing but a file is removed.
    async fn remove(&self, path: &StoragePath) -> Step<()> {
        match look(&self.client, path.as_str()).await? {
            Thing::File { .. } => good(self.client.remove(path.as_str()).await?).await,
            Thing::Folder | Thing::Nothing => Err(no_such_file()),
        }
    }
}

#[async_trait]
impl Storage for WebdavStorage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: false,
            atomic_replace: false,
            connections: self.connections,
            local: false,
            own_folders: true,
            must_be_created: true,
            // What was sent has been confirmed before it got its name; a server that copies instead of renaming may
            // yet lose some of it.
            confirms_writes: false,
            whole_files: true,
        }
    }

    async fn create(&self) -> Result<()> {
        let made = folders::make_root(&self.client).await;
        made.map_err(|failure| failure.at(Operation::Create, self.location(), None))
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let listed = self.list_below(folder).await;
        listed.map_err(|failure| failure.at(Operation::List, self.location(), folder))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let size_bytes = read::size(&self.client, path).await;
        let size_bytes = size_bytes
            .map_err(|failure| failure.at(Operation::Stat, self.location(), Some(path)))?;
        let path = path.clone();
        Ok(FileInfo { path, size_bytes })
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        let read = read::read(&self.client, path, range).await;
        read.map_err(|failure| failure.at(Operation::Read, self.location(), Some(path)))
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        _: Class,
    ) -> Result<()> {
        let written = self.store(path, &data, mode).await;
        written.map_err(|failure| failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let removed = self.remove(path).await;
        removed.map_err(|failure| failure.at(Operation::Delete, self.location(), Some(path)))
    }
}
