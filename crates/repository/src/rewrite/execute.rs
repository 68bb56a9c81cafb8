//! Carrying out a rewrite.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use tokio_util::sync::CancellationToken;

use super::plan::{RewriteChange, RewritePlan};
use super::tree::TreeRewriter;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions, WriterTotals};
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::tag::Renamed;
use crate::trash::find_missing;
use crate::usage::{Storer, pack_shapes};
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
            written: self.store_trees(repository, lock, progress, cancel).await?,
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
            let new = repository
                .publish_changed_snapshot(&change.old.id, &change.new, lock)
                .await?;
            report.renamed.push((change.old.id, new));
        }
        if let Some(forget) = &self.forget {
            self.confirm(repository, &report, progress, cancel).await?;
            let doing = || "the new snapshots are stored; remove the old ones";
            forget
                .execute(repository, lock, progress, cancel)
                .await
                .context(doing)?;
        }
        Ok(report)
    }

    /// Fails unless the new snapshots are there and whole, by what the storage says now: the old ones are about to go.
    async fn confirm(
        &self,
        repository: &Repository,
        report: &RewriteReport,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        for (_, new) in &report.renamed {
            repository.confirm_stored(new).await?;
        }
        let index = Arc::new(repository.load_index(progress).await?);
        // A cache may answer for a pack that the storage has lost; the listing is the storage's own.
        let listed = repository.list(FileKind::Pack).await?;
        let sizes: HashMap<Id, u64> = listed
            .into_iter()
            .map(|pack| (pack.id, pack.size_bytes))
            .collect();
        let known: HashSet<&Id> = self.index.packs().iter().collect();
        let shapes = index.packs().iter().zip(pack_shapes(&index));
        for (pack, shape) in shapes.filter(|(pack, _)| !known.contains(pack)) {
            if sizes.get(pack) != Some(&shape.size_bytes()) {
                return Err(lost(&format!(
                    "pack {pack} is not there in its full length"
                )));
            }
        }
        let roots: Vec<Id> = self.changes.iter().map(|change| change.new.tree).collect();
        let missing = find_missing(repository, &index, &roots, progress, cancel).await?;
        match missing.iter().find_map(|missing| missing.examples.first()) {
            None => Ok(()),
            Some(first) => Err(lost(first)),
        }
    }

    /// Returns when all new trees are stored and indexed.
    async fn store_trees(
        &self,
        repository: &Repository,
        lock: &Lock,
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
        let options = WriterOptions::default();
        let writer = BlobWriter::under(lock, repository, index, options, stop.clone());
        let stored = self.store_with(repository, &writer, progress, &stop).await;
        writer.finish_after(stored).await?;
        Ok(writer.totals())
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

fn lost(what: &str) -> Error {
    Error::damaged(format!("{what}; the old snapshots stay"))
}
