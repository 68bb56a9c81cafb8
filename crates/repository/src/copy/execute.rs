//! Carrying out a copy.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::plan::CopyPlan;
use super::similar::origin;
use crate::format::{Id, Snapshot};
use crate::index::IndexedBlob;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions, WriterTotals};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::usage::{PackContents, Storer, read_blobs};
use crate::{Error, ErrorKind, Result};

/// A snapshot that was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedSnapshot {
    /// In the source.
    pub source: Id,
    /// In the destination.
    pub destination: Id,
}

/// What a copy did.
#[derive(Debug, Clone, Default)]
pub struct CopyReport {
    /// The snapshots, in the order of the plan.
    pub snapshots: Vec<CopiedSnapshot>,
    /// What was added to the destination.
    pub written: WriterTotals,
}

/// Packs of the source that are read at the same time; of each at most 16 MiB are in memory, stored and plain.
const PACKS_MAX: usize = 8;

impl Repository {
    /// Carries out a plan. `lock` is this operation's shared lock on this repository, the destination.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] for a blob of which the source has no whole copy: no snapshot is copied then.
    /// [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storages'.
    pub async fn copy(
        &self,
        source: &Repository,
        plan: CopyPlan,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<CopyReport> {
        let mut report = CopyReport::default();
        if plan.wanted.count() > 0 {
            report.written = self.copy_blobs(source, &plan, progress, cancel).await?;
        }
        for file in &plan.snapshots {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let destination = self.publish_snapshot(&copy_of(file), lock).await?;
            report.snapshots.push(CopiedSnapshot {
                source: file.id,
                destination,
            });
        }
        Ok(report)
    }

    /// Returns when all blobs are stored and indexed.
    async fn copy_blobs(
        &self,
        source: &Repository,
        plan: &CopyPlan,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<WriterTotals> {
        let stop = cancel.child_token();
        let index = Arc::clone(&plan.destination_index);
        let writer = BlobWriter::new(self, index, WriterOptions::default(), stop.clone());
        let copied = self
            .copy_packs(source, plan, &writer, progress, &stop)
            .await;
        if copied.is_err() {
            stop.cancel();
        }
        let finished = writer.finish().await;
        // Where one failed the other was cancelled by it.
        match (copied, finished) {
            (Ok(()), Ok(_)) => Ok(writer.totals()),
            (Err(error), _) if error.kind() != ErrorKind::Cancelled => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    }

    async fn copy_packs(
        &self,
        source: &Repository,
        plan: &CopyPlan,
        writer: &BlobWriter,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<()> {
        progress.begin(Phase::Copy);
        let index = &plan.source_index;
        let contents = PackContents::new(index, |kind, position, _| {
            plan.wanted.of(kind).get(position)
        })?;
        let packs: Vec<usize> = (0..index.packs().len())
            .filter(|pack| contents.count(*pack) > 0)
            .collect();
        progress.add_total(Amount {
            items: packs.len() as u64,
            bytes: plan.figures.stored_bytes,
            ..Amount::default()
        });
        progress.total_known();
        let storer = Storer::new(self, writer);
        let at_once = source
            .storage()
            .capabilities()
            .connections
            .clamp(1, PACKS_MAX);
        let mut running = stream::iter(packs)
            .map(|pack| copy_pack(source, plan, contents.blobs(index, pack), &storer))
            .buffer_unordered(at_once);
        while let Some(bytes) = running.try_next().await? {
            if stop.is_cancelled() {
                return Err(Error::cancelled());
            }
            progress.advance(Amount {
                items: 1,
                bytes,
                ..Amount::default()
            });
        }
        Ok(())
    }
}

/// Returns the bytes that were read.
async fn copy_pack(
    source: &Repository,
    plan: &CopyPlan,
    blobs: Vec<IndexedBlob>,
    storer: &Storer,
) -> Result<u64> {
    read_blobs(source, &plan.source_index, &blobs, |read| async move {
        for blob in read {
            storer.store(blob.blob.kind, blob.plain).await?;
        }
        Ok(())
    })
    .await?;
    Ok(blobs
        .iter()
        .map(|blob| u64::from(blob.location.length))
        .sum())
}

/// The parent means nothing in another repository; the name of the first one in a line of copies is kept.
fn copy_of(file: &SnapshotFile) -> Snapshot {
    Snapshot {
        parent: None,
        original: Some(origin(file)),
        ..file.snapshot.clone()
    }
}
