//! Carrying out a plan, in the order that the module describes.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use super::plan::PrunePlan;
use super::repack::repack;
use super::rewrite::rewrite_index;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::lock::Lock;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// What a prune did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// New packs.
    pub packs_written: u64,
    /// Packs that were removed.
    pub packs_removed: u64,
    /// New index files.
    pub indexes_written: u64,
    /// Index files that were removed.
    pub indexes_removed: u64,
    /// Snapshots that left the trash for good.
    pub trash_removed: u64,
}

/// Files that are removed between two looks at the lock.
const REMOVED_AT_ONCE: usize = 256;

impl Repository {
    /// Carries out a plan. `lock` is this operation's exclusive lock.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the plan is out of date; [`ErrorKind::Damaged`] if a blob that has to be moved is damaged
    /// (nothing has been removed then); [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storage's. Whenever it
    /// fails or is killed, every snapshot can still be restored, and a new plan goes on from there.
    pub async fn prune(
        &self,
        plan: PrunePlan,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<PruneReport> {
        let plan = Arc::new(plan);
        let mut indexes: HashSet<Id> = plan.index.files().iter().map(|file| file.id).collect();
        self.refuse_changed(&plan, lock, &indexes).await?;
        self.note_pruned();
        if plan.figures.is_nothing() {
            return Ok(PruneReport::default());
        }
        if plan.figures.changes_no_packs() {
            return Ok(PruneReport {
                trash_removed: self.remove_from_trash(&plan.trash, lock).await?,
                ..PruneReport::default()
            });
        }
        let repacked = repack(self, &plan, lock, progress, cancel).await?;
        refuse_cancelled(cancel)?;
        let rewritten = rewrite_index(self, &plan, lock, progress).await?;
        let fresh: Vec<Id> = repacked
            .indexes
            .iter()
            .chain(&rewritten.new)
            .copied()
            .collect();
        self.confirm_kept(&plan, rewritten, &fresh).await?;
        refuse_cancelled(cancel)?;
        let mut report = PruneReport {
            packs_written: repacked.packs.len() as u64,
            indexes_written: fresh.len() as u64,
            ..PruneReport::default()
        };
        indexes.extend(&fresh);
        self.refuse_changed(&plan, lock, &indexes).await?;
        report.trash_removed = self.remove_from_trash(&plan.trash, lock).await?;
        let old: Vec<Id> = plan.old_indexes.iter().copied().collect();
        progress.begin(Phase::DeleteFiles);
        report.indexes_removed = self
            .remove_all(FileKind::Index, &old, lock, progress, cancel)
            .await?;
        indexes.retain(|id| !plan.old_indexes.contains(id));
        self.refuse_changed(&plan, lock, &indexes).await?;
        let packs: Vec<Id> = plan.packs_to_remove().collect();
        progress.begin(Phase::DeletePacks);
        report.packs_removed = self
            .remove_all(FileKind::Pack, &packs, lock, progress, cancel)
            .await?;
        Ok(report)
    }

    /// Removes files, several at a time; returns how many. Goes on where one cannot be removed, and fails at the end.
    pub(crate) async fn remove_all(
        &self,
        kind: FileKind,
        files: &[Id],
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        progress.add_total(Amount {
            items: files.len() as u64,
            ..Amount::default()
        });
        progress.total_known();
        let at_once = self.storage().capabilities().connections.max(1);
        let (mut removed, mut failed, mut failure) = (0_u64, 0_u64, None);
        for some in files.chunks(REMOVED_AT_ONCE) {
            refuse_cancelled(cancel)?;
            lock.verify().await?;
            let mut running = stream::iter(some)
                .map(|id| async move {
                    lock.verify_if_slept().await?;
                    self.delete_file(kind, id).await
                })
                .buffer_unordered(at_once);
            while let Some(result) = running.next().await {
                match result {
                    Ok(()) => removed = removed.saturating_add(1),
                    Err(error) => {
                        failed = failed.saturating_add(1);
                        failure.get_or_insert(error);
                    }
                }
                progress.advance(Amount {
                    items: 1,
                    ..Amount::default()
                });
            }
        }
        match failure {
            None => Ok(removed),
            Some(error) => Err(error.context(format!(
                "{failed} of {} {} files could not be removed",
                files.len(),
                kind.noun()
            ))),
        }
    }
}

fn refuse_cancelled(cancel: &CancellationToken) -> Result<()> {
    if cancel.is_cancelled() {
        Err(Error::new(ErrorKind::Cancelled, "cancelled"))
    } else {
        Ok(())
    }
}
