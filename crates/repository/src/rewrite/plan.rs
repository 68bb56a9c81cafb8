//! What a rewrite would do.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::memo::Memo;
use super::tree::TreeRewriter;
use super::{Entries, RewriteOptions};
use crate::Result;
use crate::error::Context;
use crate::forget::{Duration, ForgetPlan, plan_forget_named};
use crate::format::{Id, Snapshot};
use crate::index::Index;
use crate::pattern::PatternSet;
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};

/// A snapshot that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteChange {
    /// As it is.
    pub old: SnapshotFile,
    /// As it will be.
    pub new: Snapshot,
    /// What goes.
    pub removed: Entries,
    /// Entries that stay and lose metadata.
    pub stripped: u64,
}

/// What happens to each snapshot.
pub struct RewritePlan {
    /// Snapshots that change, in the order in which they were given.
    pub changes: Vec<RewriteChange>,
    /// Snapshots in which there is nothing to change.
    pub unchanged: Vec<Id>,
    /// What becomes of the old ones, where they are to go.
    pub forget: Option<ForgetPlan>,
    pub(super) options: RewriteOptions,
    pub(super) exclude: Arc<PatternSet>,
    pub(super) index: Arc<Index>,
    pub(super) memo: Arc<Mutex<Memo>>,
}

impl std::fmt::Debug for RewritePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RewritePlan")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// Finds out what the options change in snapshots. Changes nothing.
///
/// # Errors
/// [`crate::ErrorKind::Invalid`] if nothing is asked for, [`crate::ErrorKind::Damaged`] if a tree cannot be read or would
/// lose something on the way, [`crate::ErrorKind::Refused`] if a snapshot that is to go is pinned; the storage's;
/// [`crate::ErrorKind::Cancelled`].
pub async fn plan_rewrite(
    repository: &Repository,
    snapshots: Vec<SnapshotFile>,
    options: RewriteOptions,
    now: Timestamp,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<RewritePlan> {
    options.check()?;
    let mut plan = RewritePlan {
        changes: Vec::new(),
        unchanged: Vec::new(),
        forget: None,
        exclude: Arc::new(options.exclude.clone()),
        index: Arc::new(repository.load_index(progress).await?),
        memo: Arc::default(),
        options,
    };
    progress.begin(Phase::ReadTrees);
    for old in snapshots {
        let doing = || format!("snapshot {}", old.id.short());
        let (mut removed, mut stripped) = (Entries::default(), 0);
        let (mut tree, mut kept) = (old.snapshot.tree, None);
        if plan.options.looks_into_trees() {
            let rewriter = TreeRewriter {
                repository,
                index: &plan.index,
                exclude: Arc::clone(&plan.exclude),
                drop: plan.options.drop,
                memo: Arc::clone(&plan.memo),
                storer: None,
                progress,
                cancel,
            };
            let rewritten = rewriter.rewrite(tree).await.context(doing)?;
            (tree, kept) = (rewritten.tree, Some(rewritten.kept));
            (removed, stripped) = (rewritten.removed, rewritten.stripped);
        }
        match plan.options.change(&old, tree, kept) {
            None => plan.unchanged.push(old.id),
            Some(new) => plan.changes.push(RewriteChange {
                old,
                new,
                removed,
                stripped,
            }),
        }
    }
    if plan.options.forget {
        let old = plan.changes.iter().map(|change| change.old.clone());
        let forget = plan_forget_named(old.collect());
        plan.forget = Some(forget.end_pins(repository, now, progress).await?);
    }
    Ok(plan)
}

impl RewritePlan {
    /// Lets the old snapshots stay in the trash for a while, where they are to go.
    ///
    /// # Errors
    /// As [`ForgetPlan::into_trash`].
    pub async fn into_trash(
        mut self,
        repository: &Repository,
        keep_for: Duration,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Self> {
        if let Some(forget) = self.forget.take() {
            let forget = forget
                .into_trash(repository, keep_for, now, progress)
                .await?;
            self.forget = Some(forget);
        }
        Ok(self)
    }
}
