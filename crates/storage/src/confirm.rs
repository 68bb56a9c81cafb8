//! Asks after each write what the storage holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::failure::Failure;
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode,
};

/// Pauses before a storage that does not show a new file is asked again: some show it late.
const LATE: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// Lets no write return before the storage has shown the file in its full size, where the kind does not see to that itself
/// ([`Capabilities::confirms_writes`]).
///
/// Promises: after `Ok` the storage has shown the file with the size that it was given. A file that is shorter or longer is
/// sent once more, if what lies there is the beginning of it, and so what this very write has left; one that stays wrong, or is never shown, is
/// [`ErrorKind::Mismatch`], which nobody tries again. Programs that believed an upload without looking have indexes that
/// name packs which are not there (T-21). What is in the file is not read: that is the matter of a checksum, which
/// kinds have, and of a check.
#[derive(Debug, Clone)]
pub struct ConfirmStorage {
    inner: Arc<dyn Storage>,
}

impl ConfirmStorage {
    /// Confirms the writes to `inner`.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner }
    }

    /// The size as shown, where the file is shown at all.
    async fn shown(&self, path: &StoragePath) -> Result<Option<u64>> {
        let mut pauses = LATE.iter();
        loop {
            match self.inner.stat(path).await {
                Ok(info) => return Ok(Some(info.size_bytes)),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Ok(None),
            }
        }
    }

    /// Whether what lies there is ours, cut short or with something behind it: nobody else's file is to be replaced.
    async fn holds_beginning(
        &self,
        path: &StoragePath,
        data: &Bytes,
        class: Class,
    ) -> Result<bool> {
        let stored = self.inner.read(path, None, class).await?;
        let both = stored.len().min(data.len());
        Ok(stored.get(..both) == data.get(..both))
    }
}

#[async_trait]
impl Storage for ConfirmStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirms_writes: true,
            ..self.inner.capabilities()
        }
    }

    async fn create(&self) -> Result<()> {
        self.inner.create().await
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
        let size_bytes = data.len() as u64;
        self.inner.write(path, data.clone(), mode, class).await?;
        if self.inner.capabilities().confirms_writes {
            return Ok(());
        }
        let mut shown = self.shown(path).await?;
        if shown.is_some_and(|shown| shown != size_bytes) {
            if !self.holds_beginning(path, &data, class).await? {
                let message =
                    "a file of that name exists; somebody else has written it at the same time";
                let failure = Failure::new(ErrorKind::AlreadyExists, message);
                return Err(failure.at(Operation::Write, self.location(), Some(path)));
            }
            let again = self.inner.write(path, data, WriteMode::Replace, class);
            again.await?;
            shown = self.shown(path).await?;
        }
        let message = match shown {
            Some(shown) if shown == size_bytes => return Ok(()),
            Some(shown) => {
                format!("the storage says it has stored {size_bytes} bytes, and shows {shown}")
            }
            None => "the storage says it has stored the file, and does not show it".to_owned(),
        };
        let failure = Failure::new(ErrorKind::Mismatch, message);
        Err(failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.inner.delete(path).await
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
