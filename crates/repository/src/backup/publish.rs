//! A backup from its begin to the published snapshot.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::counters::BackupFigures;
use super::healed::Healed;
use super::run::Run;
use super::{BackupOptions, Handle, directory};
use crate::format::{Id, Snapshot, SnapshotSummary, Time};
use crate::index::Index;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions, WriterTotals};
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// What a backup did.
#[derive(Debug, Clone)]
pub struct BackupReport {
    /// The snapshot that was published; `None` for a dry run, or if nothing had changed and that was to be skipped.
    pub snapshot_id: Option<Id>,
    /// The snapshot as published, or as it would have been.
    pub snapshot: Snapshot,
    /// What was found on the source.
    pub figures: BackupFigures,
    /// What was added to the repository.
    pub written: WriterTotals,
    /// What earlier snapshots had lost and have again. `None`: nothing was found to be lost, or nothing was stored.
    pub healed: Option<Healed>,
}

impl BackupReport {
    /// Whether something that was asked for is not in the snapshot.
    pub fn is_partial(&self) -> bool {
        self.figures.errors > 0
    }
}

impl Repository {
    /// Backs a source up into a new snapshot.
    ///
    /// `root.children()` are the entries at the top of the snapshot. `lock` is this operation's shared lock.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] if nothing at all could be read, [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`] (packs
    /// that were stored are indexed and used by the next backup), or the storage's. No snapshot is published then.
    pub async fn backup(
        &self,
        index: &Arc<Index>,
        root: Box<dyn Handle>,
        options: BackupOptions,
        lock: &Lock,
        progress: &Arc<dyn Progress>,
        cancel: &CancellationToken,
    ) -> Result<BackupReport> {
        let started = Timestamp::now();
        progress.begin(Phase::Backup);
        let parent_tree = self.parent_tree(&options).await?;
        // Cancelled by the user, or by this backup itself when it fails.
        let stop = cancel.child_token();
        let dry_run = options.dry_run;
        let writer = BlobWriter::under(
            lock,
            self,
            Arc::clone(index),
            WriterOptions { dry_run },
            stop.clone(),
        );
        let run = Arc::new(Run::new(
            self,
            Arc::clone(index),
            writer.clone(),
            options,
            Arc::clone(progress),
            stop,
        ));
        let (done, tree) = oneshot::channel();
        let job = Arc::clone(&run);
        self.workers()
            .spawn(move || directory::save_root(&job, root, parent_tree, done));
        let tree = tree
            .await
            .map_err(|_| Error::new(ErrorKind::Internal, "the backup ended without a result"))?;
        // The packs that are stored are indexed in every case.
        let finished = writer.finish().await;
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        // Where one failed the others were cancelled: the cause is the error that is none of that.
        let failures = [finished.err(), run.take_failure()];
        let cause = failures
            .into_iter()
            .flatten()
            .min_by_key(|error| error.kind() == ErrorKind::Cancelled);
        if let Some(error) = cause {
            return Err(error);
        }
        if run.options.all_or_nothing && run.counters.figures().errors > 0 {
            return Err(Error::new(
                ErrorKind::Source,
                "the source could not be read to its end; no snapshot was made",
            ));
        }
        let tree = tree.ok_or_else(nothing_read)?;
        if run.counters.figures().is_empty() {
            return Err(nothing_read());
        }
        let snapshot = snapshot(&run, tree, started, &writer.totals());
        let mut report = BackupReport {
            snapshot_id: None,
            snapshot,
            figures: run.counters.figures(),
            written: writer.totals(),
            healed: None,
        };

        let skip = run.options.skip_if_unchanged && parent_tree == Some(tree);
        if !(dry_run || skip) {
            report.snapshot_id = Some(self.publish_snapshot(&report.snapshot, lock).await?);
        }
        if run.has_losses() && !dry_run {
            report.healed = self
                .tell_healed(&report, &writer, &**progress, cancel)
                .await;
        }
        Ok(report)
    }

    /// The backup is made; that nobody can say what it healed does not make it fail.
    async fn tell_healed(
        &self,
        report: &BackupReport,
        writer: &BlobWriter,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Option<Healed> {
        let own = report.snapshot_id;
        match self.find_healed(own, writer, progress, cancel).await {
            Ok(healed) => Some(healed),
            Err(error) => {
                progress.warning(&format!("what this backup healed is not known: {error}"));
                None
            }
        }
    }

    async fn parent_tree(&self, options: &BackupOptions) -> Result<Option<Id>> {
        match options.parent {
            Some(id) => Ok(Some(self.load_snapshot(&id).await?.tree)),
            None => Ok(None),
        }
    }
}

fn nothing_read() -> Error {
    Error::new(
        ErrorKind::Source,
        "nothing could be read from the source; no snapshot was made",
    )
}

fn snapshot(run: &Run, tree: Id, started: Timestamp, written: &WriterTotals) -> Snapshot {
    let options = run.options.clone();
    let figures = run.counters.figures();
    let zone = jiff::tz::TimeZone::fixed(options.time.offset());
    let at = |instant| Time::new(instant, &zone);
    Snapshot {
        time: options.time,
        parent: options.parent,
        tree,
        paths: options.paths,
        hostname: options.hostname,
        username: options.username,
        uid: options.uid,
        gid: options.gid,
        excludes: options.excludes,
        tags: options.tags,
        original: None,
        program_version: options.program_version,
        summary: Some(SnapshotSummary {
            backup_start: at(started),
            backup_end: at(Timestamp::now()),
            files_new: figures.files_new,
            files_changed: figures.files_changed,
            files_unmodified: figures.files_unmodified,
            dirs_new: figures.dirs_new,
            dirs_changed: figures.dirs_changed,
            dirs_unmodified: figures.dirs_unmodified,
            data_blobs: written.data_blobs,
            tree_blobs: written.tree_blobs,
            data_added: written.plain_bytes,
            data_added_packed: written.stored_bytes,
            total_files_processed: figures.files(),
            total_bytes_processed: figures.bytes,
        }),
    }
}
