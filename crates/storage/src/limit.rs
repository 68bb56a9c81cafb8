//! Bounds how many calls are made at once.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StorageError,
    StoragePath, WriteMode,
};

/// Lets at most so many calls through at once; the others wait in the order in which they came.
///
/// Promises: a waiting call has not begun, so dropping it costs nothing; a call that ends in any way, or is
/// dropped, lets the next one through. `capabilities().connections` never exceeds the limit.
#[derive(Debug, Clone)]
pub struct LimitStorage {
    inner: Arc<dyn Storage>,
    turns: Arc<Semaphore>,
    limit: usize,
}

impl LimitStorage {
    /// Limits the calls to `inner`.
    pub fn new(inner: Arc<dyn Storage>, limit: NonZeroUsize) -> Self {
        let limit = limit.get().min(Semaphore::MAX_PERMITS);
        Self {
            inner,
            turns: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }

    async fn turn(
        &self,
        operation: Operation,
        path: Option<&StoragePath>,
    ) -> Result<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.turns.acquire().await.map_err(|error| {
            StorageError::new(
                ErrorKind::Io,
                operation,
                self.location(),
                path,
                error.to_string(),
            )
        })
    }
}

#[async_trait]
impl Storage for LimitStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.inner.capabilities();
        Capabilities {
            connections: inner.connections.min(self.limit),
            ..inner
        }
    }

    async fn create(&self) -> Result<()> {
        let _turn = self.turn(Operation::Create, None).await?;
        self.inner.create().await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let _turn = self.turn(Operation::List, folder).await?;
        self.inner.list(folder).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let _turn = self.turn(Operation::Stat, Some(path)).await?;
        self.inner.stat(path).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let _turn = self.turn(Operation::Read, Some(path)).await?;
        self.inner.read(path, range, class).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let _turn = self.turn(Operation::Write, Some(path)).await?;
        self.inner.write(path, data, mode, class).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let _turn = self.turn(Operation::Delete, Some(path)).await?;
        self.inner.delete(path).await
    }
}
