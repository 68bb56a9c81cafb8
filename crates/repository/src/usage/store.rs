//! Handing blobs to a writer from async code.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::format::BlobKind;
use crate::index::IndexedBlob;
use crate::pack::BlobWriter;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// Stores blobs that were read, on as many threads as there are workers.
///
/// These are threads of their own: a writer may wait for its uploader, and the workers that decode what is read need not
/// wait with it.
pub(crate) struct Storer {
    writer: BlobWriter,
    threads: Arc<Semaphore>,
}

impl Storer {
    pub fn new(repository: &Repository, writer: &BlobWriter) -> Self {
        Self {
            writer: writer.clone(),
            threads: Arc::new(Semaphore::new(repository.workers().threads().max(1))),
        }
    }

    /// Compresses, encrypts and stores a blob unless the writer has it.
    pub async fn store(&self, kind: BlobKind, plain: Vec<u8>) -> Result<()> {
        let internal = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, format!("store: {error}"))
        };
        let permit = Arc::clone(&self.threads)
            .acquire_owned()
            .await
            .map_err(|error| internal(&error))?;
        let writer = self.writer.clone();
        let job = move || {
            let stored = writer.store(kind, &plain);
            drop(permit);
            stored
        };
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|error| internal(&error))??;
        Ok(())
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
