//! Ends calls that take too long.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StorageError,
    StoragePath, WriteMode,
};

/// The longest time for each kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// `create`, `stat`, `delete` and `hold`.
    pub short: Duration,
    /// `list`.
    pub list: Duration,
    /// `read` and `write`, apart from the time for the bytes.
    pub transfer: Duration,
    /// The slowest that bytes may come or go; their number divided by this is added to `transfer`. A read of a whole
    /// file, whose size nobody knows, counts as [`Self::WHOLE_FILE_BYTES`].
    pub slowest_bytes_per_s: u64,
}

impl TimeLimits {
    /// The size that a whole file is taken to have: that of the largest pack that restic makes.
    pub const WHOLE_FILE_BYTES: u64 = 128 << 20;

    fn for_bytes(&self, bytes: u64) -> Duration {
        let seconds = bytes / self.slowest_bytes_per_s.max(1);
        self.transfer.saturating_add(Duration::from_secs(seconds))
    }
}

impl Default for TimeLimits {
    /// Meant to end calls that hang, not slow ones: 32 KiB/s is enough.
    fn default() -> Self {
        Self {
            short: Duration::from_secs(60),
            list: Duration::from_secs(30 * 60),
            transfer: Duration::from_secs(60),
            slowest_bytes_per_s: 32 << 10,
        }
    }
}

// The options that set the limits, for messages.
pub(crate) const SHORT: &str = "limit.request";
pub(crate) const LIST: &str = "limit.list";
pub(crate) const TRANSFER: &str = "limit.transfer";

/// Fails calls with [`ErrorKind::TimedOut`], which a retry can mend, once their time is over.
///
/// Promises: the call is dropped then, so what it had begun leaves nothing half-done under a final name; a write or
/// delete that timed out may have been carried out all the same. Belongs inside [`crate::LimitStorage`], so
/// that waiting for a turn is not counted, and inside [`crate::RetryStorage`].
#[derive(Debug, Clone)]
pub struct TimeoutStorage {
    inner: Arc<dyn Storage>,
    limits: TimeLimits,
}

impl TimeoutStorage {
    /// Limits the calls to `inner`.
    pub fn new(inner: Arc<dyn Storage>, limits: TimeLimits) -> Self {
        Self { inner, limits }
    }

    async fn within<T>(
        &self,
        (limit, name): (Duration, &str),
        operation: Operation,
        path: Option<&StoragePath>,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            let message = format!("not done within {} s ({name})", limit.as_secs_f64());
            let kind = ErrorKind::TimedOut;
            Err(
                StorageError::new(kind, operation, self.inner.location(), path, message)
                    .retryable(),
            )
        })
    }
}

#[async_trait]
impl Storage for TimeoutStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        let call = self.inner.create();
        self.within((self.limits.short, SHORT), Operation::Create, None, call)
            .await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let call = self.inner.list(folder);
        self.within((self.limits.list, LIST), Operation::List, folder, call)
            .await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let call = self.inner.stat(path);
        self.within(
            (self.limits.short, SHORT),
            Operation::Stat,
            Some(path),
            call,
        )
        .await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let bytes = range.map_or(TimeLimits::WHOLE_FILE_BYTES, |range| range.length);
        let call = self.inner.read(path, range, class);
        self.within(
            (self.limits.for_bytes(bytes), TRANSFER),
            Operation::Read,
            Some(path),
            call,
        )
        .await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let limit = self.limits.for_bytes(data.len() as u64);
        let call = self.inner.write(path, data, mode, class);
        self.within((limit, TRANSFER), Operation::Write, Some(path), call)
            .await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let call = self.inner.delete(path);
        self.within(
            (self.limits.short, SHORT),
            Operation::Delete,
            Some(path),
            call,
        )
        .await
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        let call = self.inner.hold(path, until);
        self.within(
            (self.limits.short, SHORT),
            Operation::Hold,
            Some(path),
            call,
        )
        .await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        self.inner.remove_empty_folder(folder).await
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.inner.clock_ahead_s()
    }
}
