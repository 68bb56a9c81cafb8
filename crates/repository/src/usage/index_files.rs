//! Writing index files pack by pack.

use crate::Result;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::format::index::{BLOBS_SUGGESTED, IndexEncoder};
use crate::format::pack_header::PackedBlob;
use crate::lock::Lock;
use crate::progress::{Amount, Progress};
use crate::repository::Repository;

/// An index file that is being filled, and those that are stored.
///
/// Each is stored only while the lock stands: without the right to it, the packs that it names may be gone (story T-06).
pub(crate) struct IndexFiles<'a> {
    repository: &'a Repository,
    lock: &'a Lock,
    progress: &'a dyn Progress,
    encoder: Option<IndexEncoder>,
    blobs: usize,
    stored: Vec<Id>,
}

impl<'a> IndexFiles<'a> {
    /// No file yet.
    pub fn new(repository: &'a Repository, lock: &'a Lock, progress: &'a dyn Progress) -> Self {
        Self {
            repository,
            lock,
            progress,
            encoder: None,
            blobs: 0,
            stored: Vec::new(),
        }
    }

    /// Describes a pack; one without blobs is in no index.
    pub async fn add(&mut self, pack: &Id, blobs: &[PackedBlob]) -> Result<()> {
        if blobs.is_empty() {
            return Ok(());
        }
        self.encoder
            .get_or_insert_with(IndexEncoder::new)
            .pack(pack, blobs);
        self.blobs = self.blobs.saturating_add(blobs.len());
        if self.blobs >= BLOBS_SUGGESTED {
            self.store().await?;
        }
        Ok(())
    }

    /// Stores the rest; returns all files.
    pub async fn finish(mut self) -> Result<Vec<Id>> {
        self.store().await?;
        Ok(self.stored)
    }

    async fn store(&mut self) -> Result<()> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(());
        };
        self.blobs = 0;
        self.lock.verify().await?;
        let content = encoder.finish();
        let id = self.repository.save_file(FileKind::Index, content).await?;
        self.stored.push(id);
        self.progress.advance(Amount {
            items: 1,
            ..Amount::default()
        });
        Ok(())
    }
}
