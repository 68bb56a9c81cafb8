//! What the trash means for a prune.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::figures::PruneFigures;
use super::options::{EmptyTrash, PruneOptions};
use crate::format::Id;
use crate::index::Index;
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::Progress;
use crate::repository::{Repository, SnapshotFile};
use crate::trash::{TrashEntry, Witnesses, find_missing, is_due};
use crate::usage::{Marks, find_used_beside};
use crate::{Error, Result};

/// What is in the trash, and what becomes of it.
#[derive(Debug, Default)]
pub(super) struct TrashPlan {
    /// Entries that stay, with all that they need.
    pub keep: Vec<TrashEntry>,
    /// Entries whose time has come.
    pub remove: HashSet<Id>,
}

impl TrashPlan {
    /// Every entry of the trash that the plan was made for.
    fn contains(&self, id: &Id) -> bool {
        self.remove.contains(id) || self.keep.iter().any(|entry| entry.record.snapshot == *id)
    }
}

impl Repository {
    /// Decides what of the trash stays.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if an entry cannot be read and its snapshot is not there: what it needs is not known.
    pub(super) async fn plan_trash(
        &self,
        options: &PruneOptions,
        snapshots: &[SnapshotFile],
        progress: &dyn Progress,
    ) -> Result<TrashPlan> {
        if options.empty_trash == EmptyTrash::All {
            return Ok(TrashPlan {
                keep: Vec::new(),
                remove: self.list_trash().await?.into_iter().collect(),
            });
        }
        let (entries, unreadable) = self.load_trash(progress).await?;
        // What an interrupted forget has left stands for nothing: its snapshot is there.
        let live: HashSet<Id> = snapshots.iter().map(|file| file.id).collect();
        let (left_behind, unreadable): (Vec<_>, Vec<_>) = unreadable
            .into_iter()
            .partition(|(id, _)| live.contains(id));
        if let Some((_, error)) = unreadable.first() {
            return Err(Error::damaged(format!(
                "{} snapshots in the trash cannot be read, so what they need is not known; nothing is removed: {error}",
                unreadable.len()
            )));
        }
        let witnesses = Witnesses::new(snapshots, &entries);
        let (due, keep): (Vec<TrashEntry>, Vec<TrashEntry>) = entries
            .into_iter()
            .partition(|entry| is_due(&entry.record, &witnesses, options.now));
        Ok(TrashPlan {
            keep,
            remove: due
                .iter()
                .map(|entry| entry.record.snapshot)
                .chain(left_behind.iter().map(|(id, _)| *id))
                .collect(),
        })
    }

    /// Marks what the entries that stay need, beside what is `used` already.
    ///
    /// What another program has pruned away is counted, and no reason to stop: nothing of it is here to be lost.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if a tree is there and cannot be read: what lies below it is not known.
    pub(super) async fn mark_trash(
        &self,
        index: &Arc<Index>,
        trash: &TrashPlan,
        used: Marks,
        figures: &mut PruneFigures,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Marks> {
        figures.trash_kept = trash.keep.len() as u64;
        figures.trash_expired = trash.remove.len() as u64;
        if trash.keep.is_empty() {
            return Ok(used);
        }
        let roots: Vec<Id> = trash.keep.iter().map(|entry| entry.snapshot.tree).collect();
        let needed = find_used_beside(self, index, roots.clone(), used, progress, cancel).await?;
        if needed.unreadable_count > 0 {
            let first = needed.failures.first().cloned().unwrap_or_default();
            return Err(Error::damaged(format!(
                "{} trees that snapshots in the trash need are damaged, nothing is removed: {first}",
                needed.unreadable_count
            )));
        }
        if needed.failures_count > 0 {
            let missing = find_missing(self, index, &roots, progress, cancel).await?;
            let incomplete = missing.iter().filter(|missing| missing.count > 0);
            figures.trash_incomplete = incomplete.count() as u64;
        }
        Ok(needed.used)
    }

    /// Whether the trash is not that of the plan: something was put in, or taken out that was to stay.
    pub(super) async fn is_other_trash(&self, trash: &TrashPlan) -> Result<bool> {
        let now: HashSet<Id> = self.list_trash().await?.into_iter().collect();
        let is_known = now.iter().all(|id| trash.contains(id));
        let is_whole = trash
            .keep
            .iter()
            .all(|entry| now.contains(&entry.record.snapshot));
        Ok(!is_known || !is_whole)
    }

    /// Removes the entries whose time has come; returns how many.
    pub(super) async fn remove_from_trash(&self, trash: &TrashPlan, lock: &Lock) -> Result<u64> {
        if trash.remove.is_empty() {
            return Ok(0);
        }
        lock.verify().await?;
        let mut removed = 0_u64;
        for id in &trash.remove {
            self.delete_own(OwnFolder::Trash, &id.to_hex()).await?;
            removed = removed.saturating_add(1);
        }
        Ok(removed)
    }
}
