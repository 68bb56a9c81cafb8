//! Carrying out a copy.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::plan::CopyPlan;
use super::similar::origin;
use crate::format::{Id, Snapshot};
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions, WriterTotals};
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::usage::{ReadBlob, Storer, Transfer};
use crate::{Error, Result};

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
            report.written = self
                .copy_blobs(source, &plan, lock, progress, cancel)
                .await?;
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
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<WriterTotals> {
        progress.begin(Phase::Copy);
        let stop = cancel.child_token();
        let index = Arc::clone(&plan.destination_index);
        let options = WriterOptions::default();
        let writer = BlobWriter::under(lock, self, index, options, stop.clone());
        let storer = Storer::new(self, &writer);
        let transfer = Transfer {
            source,
            index: &plan.source_index,
            wanted: &plan.wanted,
        };
        let store = |read: ReadBlob| storer.store(read.blob.kind, read.plain);
        transfer.run(&writer, store, progress, &stop).await?;
        Ok(writer.totals())
    }
}

/// The parent means nothing in another repository; the name of the first one in a line of copies is kept.
fn copy_of(file: &SnapshotFile) -> Snapshot {
    Snapshot {
        parent: None,
        original: Some(origin(file)),
        ..file.snapshot.clone()
    }
}
