//! A storage that takes restic's files and no others.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StorageError,
    StoragePath, WriteMode,
};

/// Refuses every file below `strongroom/`, as a server of restic's protocol does, and says so in its capabilities.
#[derive(Debug, Clone)]
pub struct ResticLayoutStorage {
    inner: Arc<dyn Storage>,
}

impl ResticLayoutStorage {
    /// In front of another storage.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner }
    }

    fn allow(&self, operation: Operation, path: &StoragePath) -> Result<()> {
        if !path.as_str().starts_with("strongroom/") {
            return Ok(());
        }
        let (kind, message) = (ErrorKind::Unsupported, "no such type of file");
        Err(StorageError::new(
            kind,
            operation,
            self.location(),
            Some(path),
            message,
        ))
    }
}

#[async_trait]
impl Storage for ResticLayoutStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            own_folders: false,
            ..self.inner.capabilities()
        }
    }

    async fn create(&self) -> Result<()> {
        self.inner.create().await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        if let Some(folder) = folder {
            self.allow(Operation::List, folder)?;
        }
        self.inner.list(folder).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.allow(Operation::Stat, path)?;
        self.inner.stat(path).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        self.allow(Operation::Read, path)?;
        self.inner.read(path, range, class).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        self.allow(Operation::Write, path)?;
        self.inner.write(path, data, mode, class).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.allow(Operation::Delete, path)?;
        self.inner.delete(path).await
    }
}
