//! Handing blobs to a writer from async code.

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::format::BlobKind;
use crate::index::IndexedBlob;
use crate::pack::BlobWriter;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result, compression};

/// Stores blobs that were read, on as many threads as there are workers.
///
/// These are threads of their own: a writer may wait for its uploader, and the workers that decode what is read need not
/// wait with it.
pub(crate) struct Storer {
    repository: Repository,
    writer: BlobWriter,
    threads: Arc<Semaphore>,
}

impl Storer {
    pub fn new(repository: &Repository, writer: &BlobWriter) -> Self {
        Self {
            repository: repository.clone(),
            writer: writer.clone(),
            threads: Arc::new(Semaphore::new(repository.workers().threads().max(1))),
        }
    }

    /// Encrypts and stores a blob, compressed if that gains, unless the writer has it.
    pub async fn store(&self, kind: BlobKind, plain: Vec<u8>) -> Result<()> {
        let writer = self.writer.clone();
        self.run(move || writer.store(kind, &plain)).await?;
        Ok(())
    }

    /// Compresses and encrypts a blob and stores it, unless the writer has it; even if it does not shrink.
    ///
    /// Whoever wants all data compressed wants that once: what was left as it is would be found, read and tried again
    /// by every prune that is asked for it.
    pub async fn store_compressed(&self, blob: &IndexedBlob, plain: Vec<u8>) -> Result<()> {
        let (repository, blob) = (self.repository.clone(), *blob);
        let (sealed, length) = self
            .run(move || compress(&repository, &blob, &plain))
            .await?;
        self.writer
            .store_sealed(blob.kind, blob.id, &sealed, Some(length))
            .await?;
        Ok(())
    }

    /// Runs a job on a thread of its own, when it is its turn.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let internal = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, format!("store: {error}"))
        };
        let permit = Arc::clone(&self.threads)
            .acquire_owned()
            .await
            .map_err(|error| internal(&error))?;
        let job = move || {
            let result = job();
            drop(permit);
            result
        };
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|error| internal(&error))?
    }

    /// Stores a blob as it is encrypted already.
    pub async fn store_sealed(&self, blob: &IndexedBlob, sealed: &[u8]) -> Result<()> {
        let length = blob.location.uncompressed_length;
        self.writer
            .store_sealed(blob.kind, blob.id, sealed, length)
            .await?;
        Ok(())
    }
}

/// The blob compressed and encrypted, and its length before. What was compressed is decompressed and compared (T-37).
fn compress(
    repository: &Repository,
    blob: &IndexedBlob,
    plain: &[u8],
) -> Result<(Vec<u8>, NonZeroU32)> {
    let length = u32::try_from(plain.len()).ok().and_then(NonZeroU32::new);
    let length = length
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a blob that cannot be compressed"))?;
    let mut frame = Vec::new();
    compression::compress_into(repository.settings().compression, plain, &mut frame)?;
    if compression::decompress(&frame, plain.len())? != plain {
        let what = format!(
            "compress blob {}: the content does not come back",
            blob.id.short()
        );
        return Err(Error::new(ErrorKind::Internal, what));
    }
    let mut sealed = Vec::with_capacity(frame.len().saturating_add(crate::crypto::OVERHEAD));
    repository.master().seal_into(&frame, &mut sealed)?;
    Ok((sealed, length))
}
