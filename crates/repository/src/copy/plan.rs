//! Planning a copy: which snapshots and which blobs, without changing anything.

use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::similar::Known;
use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::{Repository, SnapshotFile};
use crate::usage::{Marks, find_used};
use crate::{Error, Result};

/// A snapshot that the destination has a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedSnapshot {
    /// In the source.
    pub source: Id,
    /// Its copy.
    pub destination: Id,
}

/// What a copy would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CopyFigures {
    /// Snapshots to copy.
    pub snapshots: u64,
    /// Data blobs that the destination does not have.
    pub data_blobs: u64,
    /// Trees that the destination does not have.
    pub tree_blobs: u64,
    /// Bytes of all these before compression.
    pub plain_bytes: u64,
    /// Their bytes as stored in the source: what is read.
    pub stored_bytes: u64,
    /// Blobs of these snapshots that the destination has.
    pub known_blobs: u64,
}

/// What a copy would do, with all that is needed to do it.
pub struct CopyPlan {
    pub(super) figures: CopyFigures,
    pub(super) source_index: Arc<Index>,
    pub(super) destination_index: Arc<Index>,
    /// Records of the source's index that are read.
    pub(super) wanted: Marks,
    pub(super) snapshots: Vec<SnapshotFile>,
    skipped: Vec<SkippedSnapshot>,
    same_chunker: bool,
}

impl CopyPlan {
    /// What would be copied, in numbers.
    pub fn figures(&self) -> &CopyFigures {
        &self.figures
    }

    /// Snapshots that would be copied, in the order in which they would appear.
    pub fn snapshots(&self) -> &[SnapshotFile] {
        &self.snapshots
    }

    /// Snapshots that the destination has already.
    pub fn skipped(&self) -> &[SkippedSnapshot] {
        &self.skipped
    }

    /// Whether both repositories cut files at the same places, so that copied data and data that is backed up into the
    /// destination directly are stored once.
    pub fn has_same_chunker(&self) -> bool {
        self.same_chunker
    }
}

impl std::fmt::Debug for CopyPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyPlan")
            .field("figures", &self.figures)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Finds out what copying these snapshots of `source` into this repository would take. Changes nothing.
    ///
    /// The caller holds a lock of [`crate::lock::Access::Read`] on the source and, if the plan is to be carried out, one
    /// of [`crate::lock::Access::Append`] on this repository.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if something that a snapshot needs is missing in the source; the storages',
    /// [`crate::ErrorKind::Cancelled`].
    pub async fn plan_copy(
        &self,
        source: &Repository,
        snapshots: Vec<SnapshotFile>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<CopyPlan> {
        let present = self.load_snapshots(progress).await?;
        let destination_index = Arc::new(self.load_index(progress).await?);
        let known = Known::new(&present);
        let (mut skipped, mut wanted_snapshots) = (Vec::new(), Vec::new());
        for file in snapshots {
            match known.copy_of(&file) {
                Some(destination) => skipped.push(SkippedSnapshot {
                    source: file.id,
                    destination,
                }),
                None => wanted_snapshots.push(file),
            }
        }
        let source_index = if wanted_snapshots.is_empty() {
            Arc::default()
        } else {
            Arc::new(source.load_index(progress).await?)
        };
        let roots = wanted_snapshots
            .iter()
            .map(|file| file.snapshot.tree)
            .collect();
        let found = find_used(source, &source_index, roots, progress, cancel).await?;
        if let Some(first) = found.failures.first() {
            let count = found.failures_count;
            return Err(Error::damaged(format!(
                "{count} blobs that the snapshots need are missing or damaged in the source: {first}"
            )));
        }
        let mut figures = CopyFigures {
            snapshots: wanted_snapshots.len() as u64,
            ..CopyFigures::default()
        };
        let wanted = wanted(&source_index, &found.used, &destination_index, &mut figures);
        Ok(CopyPlan {
            figures,
            source_index,
            destination_index,
            wanted,
            snapshots: wanted_snapshots,
            skipped,
            same_chunker: source.config().chunker_polynomial == self.config().chunker_polynomial,
        })
    }
}

/// The used blobs that the destination does not have.
fn wanted(index: &Index, used: &Marks, destination: &Index, figures: &mut CopyFigures) -> Marks {
    let wanted = Marks::new(index);
    for kind in [BlobKind::Data, BlobKind::Tree] {
        for (position, blob) in index
            .blobs(kind)
            .enumerate()
            .filter(|(position, _)| used.of(kind).get(*position))
        {
            if destination.contains(kind, &blob.id) {
                figures.known_blobs = figures.known_blobs.saturating_add(1);
                continue;
            }
            wanted.of(kind).set(position);
            let count = match kind {
                BlobKind::Data => &mut figures.data_blobs,
                BlobKind::Tree => &mut figures.tree_blobs,
            };
            *count = count.saturating_add(1);
            figures.plain_bytes = figures
                .plain_bytes
                .saturating_add(u64::from(blob.location.plain_length()));
            figures.stored_bytes = figures
                .stored_bytes
                .saturating_add(u64::from(blob.location.length));
        }
    }
    wanted
}
