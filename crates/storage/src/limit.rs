//! Bounds how many calls are made at once, and how many begin in a second.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::turns::Turns;
use crate::{
    ByteRange, Capabilities, Class, FileInfo, Pace, Result, Storage, StoragePath, WriteMode,
};

/// Lets at most so many calls through at once, fewer while the storage shows that they are too many; the others wait in
/// the order in which they came.
///
/// Promises: a waiting call has not begun, so dropping it costs nothing; a call that ends in any way, or is
/// dropped, lets the next one through. `capabilities().connections` never exceeds the limit. After a storage has asked for
/// fewer requests, or has not answered, half as many calls are made at once; each round that goes well adds one again.
#[derive(Debug, Clone)]
pub struct LimitStorage {
    inner: Arc<dyn Storage>,
    turns: Arc<Turns>,
    requests: Pace,
}

impl LimitStorage {
    /// Limits the calls to `inner`.
    pub fn new(inner: Arc<dyn Storage>, limit: NonZeroUsize) -> Self {
        Self {
            inner,
            turns: Arc::new(Turns::new(limit.get())),
            requests: Pace::unlimited(),
        }
    }

    /// Lets calls begin at this pace, in calls a second.
    #[must_use]
    pub fn with_rate(mut self, requests: Pace) -> Self {
        self.requests = requests;
        self
    }

    /// The call, when it is its turn; `bytes` says how many a good one has moved.
    async fn in_turn<T>(
        &self,
        call: impl Future<Output = Result<T>> + Send,
        bytes: impl FnOnce(&T) -> usize + Send,
    ) -> Result<T> {
        let turn = self.turns.take().await;
        self.requests.pass(1).await;
        let result = call.await;
        match &result {
            Ok(value) => turn.done(bytes(value) as u64),
            Err(error) => turn.failed(error),
        }
        result
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
            connections: inner.connections.min(self.turns.most()),
            ..inner
        }
    }

    async fn create(&self) -> Result<()> {
        self.in_turn(self.inner.create(), |()| 0).await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        // A listing of many files takes long and is no sign of anything: it counts as its answer's size.
        let bytes = |files: &Vec<FileInfo>| files.len().saturating_mul(100);
        self.in_turn(self.inner.list(folder), bytes).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.in_turn(self.inner.stat(path), |_| 0).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let call = self.inner.read(path, range, class);
        self.in_turn(call, Bytes::len).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let bytes = data.len();
        let call = self.inner.write(path, data, mode, class);
        self.in_turn(call, |()| bytes).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.in_turn(self.inner.delete(path), |()| 0).await
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        self.in_turn(self.inner.hold(path, until), |()| 0).await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        self.inner.remove_empty_folder(folder).await
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.inner.clock_ahead_s()
    }
}
