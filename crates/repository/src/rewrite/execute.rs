//! Carrying out a rewrite.

use std::sync::{Arc, PoisonError};

use tokio_util::sync::CancellationToken;

use super::plan::{RewriteChange, RewritePlan};
use super::tree::TreeRewriter;
use crate::error::Context;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions, WriterTotals};
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::tag::Renamed;
use crate::usage::Storer;
use crate::{Error, ErrorKind, Result};

/// What a rewrite did.
#[derive(Debug, Clone, Default)]
pub struct RewriteReport {
    /// Old and new identifiers, in the order of the plan.
    pub renamed: Vec<Renamed>,
    /// What was stored.
    pub written: WriterTotals,
}

impl RewritePlan {
    /// Stores the new trees, then publishes the new snapshots, then removes the old ones, where the plan says so. `lock` is
    /// exclusive in that case, else one that lets others add.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if an old snapshot is gone meanwhile, [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], or the
    /// storage's. Until the new ones are there, the old ones are.
    pub async fn execute(
        &self,
        repository: &Repository,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<RewriteReport> {
        let mut report = RewriteReport {
            written: self.store_trees(repository, progress, cancel).await?,
            ..RewriteReport::default()
        };
        for change in &self.changes {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            repository
                .load_snapshot(&change.old.id)
                .await
                .context(|| "the plan is out of date")?;
            let new = repository.publish_snapshot(&change.new, lock).await?;
            report.renamed.push((change.old.id, new));
        }
        if let Some(forget) = &self.forget {
            let doing = || "the new snapshots are stored; remove the old ones";
            forget
                .execute(repository, lock, progress, cancel)
                .await
                .context(doing)?;
        }
        Ok(report)
    }

    /// Returns when all new trees are stored and indexed.
    async fn store_trees(
        &self,
        repository: &Repository,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<WriterTotals> {
        let mut changes = self.changes.iter();
        if changes.all(|change| change.new.tree == change.old.snapshot.tree) {
            return Ok(WriterTotals::default());
        }
        progress.begin(Phase::ReadTrees);
        let stop = cancel.child_token();
        let index = Arc::clone(&self.index);
        let writer = BlobWriter::new(repository, index, WriterOptions::default(), stop.clone());
        let stored = self.store_with(repository, &writer, progress, &stop).await;
        if stored.is_err() {
            stop.cancel();
        }
        let finished = writer.finish().await;
        // Where one failed the other was cancelled by it.
        match (stored, finished) {
            (Ok(()), Ok(_)) => Ok(writer.totals()),
            (Err(error), _) if error.kind() != ErrorKind::Cancelled => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    }

    async fn store_with(
        &self,
        repository: &Repository,
        writer: &BlobWriter,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<()> {
        self.memo
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep_unchanged();
        let storer = Storer::new(repository, writer);
        let rewriter = TreeRewriter {
            repository,
            index: &self.index,
            exclude: Arc::clone(&self.exclude),
            drop: self.options.drop,
            memo: Arc::clone(&self.memo),
            storer: Some(&storer),
            progress,
            cancel: stop,
        };
        let has_new_tree = |change: &&RewriteChange| change.new.tree != change.old.snapshot.tree;
        for change in self.changes.iter().filter(has_new_tree) {
            let rewritten = rewriter.rewrite(change.old.snapshot.tree).await?;
            if rewritten.tree != change.new.tree {
                let id = change.old.id.short();
                let what = format!("snapshot {id} has become something else than was planned");
                return Err(Error::new(ErrorKind::Internal, what));
            }
        }
        Ok(())
    }
}
