//! Any name, on a storage that does not take all of them everywhere.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, FileInfo, Result, Storage, StorageError, StoragePath, WriteMode,
};

/// Keeps every file in one folder of a storage. So the suite of promises can ask a server of restic's protocol, which has
/// no place for names of any other shape: there, slashes are written otherwise and the folder is that of locks. A server
/// that takes any name below some folder is asked there, with the names as they are.
#[derive(Debug, Clone)]
pub struct FlatNames {
    inner: Arc<dyn Storage>,
    folder: StoragePath,
    is_flat: bool,
}

impl FlatNames {
    /// Around a storage of restic's layout.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            folder: StoragePath::new("locks").expect("a name"),
            is_flat: true,
        }
    }

    /// In another folder, with the names as they are.
    #[must_use]
    pub fn below(self, folder: &str) -> Self {
        Self {
            folder: StoragePath::new(folder).expect("a name"),
            is_flat: false,
            ..self
        }
    }

    fn there(&self, path: &StoragePath) -> StoragePath {
        let name = match self.is_flat {
            true => path.as_str().replace('_', "_u").replace('/', "_s"),
            false => path.as_str().to_owned(),
        };
        StoragePath::new(format!("{}/{name}", self.folder)).expect("a name")
    }

    fn back(&self, path: &StoragePath) -> StoragePath {
        let name = &path.as_str()[self.folder.as_str().len() + 1..];
        let name = match self.is_flat {
            true => name.replace("_s", "/").replace("_u", "_"),
            false => name.to_owned(),
        };
        StoragePath::new(name).expect("a name")
    }

    fn named(path: &StoragePath) -> impl FnOnce(StorageError) -> StorageError {
        let path = path.clone();
        |mut error| {
            error.path = Some(path);
            error
        }
    }
}

#[async_trait]
impl Storage for FlatNames {
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
        let files = self.inner.list(Some(&self.folder)).await?;
        let files = files.into_iter().map(|file| FileInfo {
            path: self.back(&file.path),
            ..file
        });
        let is_below = |file: &FileInfo| folder.is_none_or(|folder| file.path.is_below(folder));
        Ok(files.filter(is_below).collect())
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let info = self.inner.stat(&self.there(path)).await;
        let size_bytes = info.map_err(Self::named(path))?.size_bytes;
        let path = path.clone();
        Ok(FileInfo { path, size_bytes })
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let read = self.inner.read(&self.there(path), range, class).await;
        read.map_err(Self::named(path))
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let written = self.inner.write(&self.there(path), data, mode, class).await;
        written.map_err(Self::named(path))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let deleted = self.inner.delete(&self.there(path)).await;
        deleted.map_err(Self::named(path))
    }
}
