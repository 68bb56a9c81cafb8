//! Refuses everything that would change a storage.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StorageError,
    StoragePath, WriteMode,
};

/// Passes reads on and refuses `create`, `write`, `delete` and `hold` with [`ErrorKind::ReadOnly`], for trial runs.
///
/// Promises: no call that could change a file outside the folders of [`Self::except`] reaches the storage. There is
/// no such folder to begin with. A trial run that must keep others from changing what it looks at allows its folder of
/// locks; one on a medium that cannot be written does not.
#[derive(Debug, Clone)]
pub struct ReadOnlyStorage {
    inner: Arc<dyn Storage>,
    writable: Vec<StoragePath>,
}

impl ReadOnlyStorage {
    /// Protects all of `inner`.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            writable: Vec::new(),
        }
    }

    /// Lets files below this folder be written and deleted.
    #[must_use]
    pub fn except(mut self, folder: StoragePath) -> Self {
        self.writable.push(folder);
        self
    }

    fn allow(&self, operation: Operation, path: Option<&StoragePath>) -> Result<()> {
        let is_allowed = |path: &StoragePath| self.writable.iter().any(|f| path.is_below(f));
        if path.is_some_and(is_allowed) {
            return Ok(());
        }
        let message = "refused: nothing is to be changed here";
        Err(StorageError::new(
            ErrorKind::ReadOnly,
            operation,
            self.location(),
            path,
            message,
        ))
    }
}

#[async_trait]
impl Storage for ReadOnlyStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        self.allow(Operation::Create, None)
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        self.inner.list(folder).await
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
        self.inner.read(path, range, class).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        self.allow(Operation::Write, Some(path))?;
        self.inner.write(path, data, mode, class).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.allow(Operation::Delete, Some(path))?;
        self.inner.delete(path).await
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        self.allow(Operation::Hold, Some(path))?;
        self.inner.hold(path, until).await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        self.allow(Operation::Delete, Some(folder))?;
        self.inner.remove_empty_folder(folder).await
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.inner.clock_ahead_s()
    }
}
