//! Planning a prune: what would happen, without changing anything.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::decide::{Action, decide};
use super::figures::PruneFigures;
use super::options::PruneOptions;
use super::rewrite::old_indexes;
use super::select::{Selection, select};
use super::trash::TrashPlan;
use crate::file_kind::{FileEntry, FileKind};
use crate::format::{BlobKind, Id, RepositoryVersion};
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::{Marks, find_used};
use crate::{Error, ErrorKind, Result};

/// What a prune would do, with all that it was decided by.
pub struct PrunePlan {
    pub(super) figures: PruneFigures,
    pub(super) index: Arc<Index>,
    /// Blobs that snapshots use, by the position of their first record.
    pub(super) used: Marks,
    /// What becomes of each pack, by its number.
    pub(super) actions: Vec<Action>,
    /// Records that are moved to new packs.
    pub(super) moved: Marks,
    /// Index files that are replaced.
    pub(super) old_indexes: HashSet<Id>,
    /// Packs that no index names.
    pub(super) unreferenced: Vec<FileEntry>,
    /// The snapshots that the plan was made for.
    pub(super) snapshots: HashSet<Id>,
    pub(super) trash: TrashPlan,
    pub(super) compress_data: bool,
}

impl PrunePlan {
    /// What would happen, in numbers.
    pub fn figures(&self) -> &PruneFigures {
        &self.figures
    }

    /// Packs that would be removed or rewritten, and packs that no index names.
    pub fn packs_to_remove(&self) -> impl Iterator<Item = Id> {
        let indexed = self.index.packs().iter().zip(&self.actions);
        let leaving =
            indexed.filter(|(_, action)| matches!(action, Action::Remove | Action::Repack));
        leaving
            .map(|(id, _)| *id)
            .chain(self.unreferenced.iter().map(|pack| pack.id))
    }

    pub(super) fn action(&self, pack: usize) -> Action {
        self.actions.get(pack).copied().unwrap_or_default()
    }
}

impl std::fmt::Debug for PrunePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrunePlan")
            .field("figures", &self.figures)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Finds out what a prune would do. Changes nothing.
    ///
    /// A plan that is to be carried out is made under the exclusive lock; one that is only shown needs no more than a
    /// shared one.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] if something that a snapshot needs is missing, or an index file, a snapshot or one in the
    /// trash cannot be read: what is needed cannot be known then. [`ErrorKind::Invalid`] for options that the repository's version does
    /// not have. The storage's, [`ErrorKind::Cancelled`].
    pub async fn plan_prune(
        &self,
        options: &PruneOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<PrunePlan> {
        self.refuse_options(options)?;
        let snapshots = self.load_snapshots(progress).await?;
        let trash = self.plan_trash(options, &snapshots, progress).await?;
        let index = Arc::new(self.load_index(progress).await?);
        let remaining = snapshots
            .iter()
            .filter(|file| !options.forgotten.contains(&file.id));
        let (ids, roots): (HashSet<Id>, Vec<Id>) =
            remaining.map(|file| (file.id, file.snapshot.tree)).unzip();
        let used = find_used(self, &index, roots, progress, cancel).await?;
        if let Some(first) = used.failures.first() {
            let count = used.failures_count;
            return Err(Error::damaged(format!(
                "{count} blobs that snapshots need are missing or damaged, nothing is removed: {first}"
            )));
        }
        let mut figures = PruneFigures::default();
        let used = self
            .mark_trash(&index, &trash, used.used, &mut figures, progress, cancel)
            .await?;
        let found = Found {
            snapshots: ids,
            trash,
            used,
            figures,
        };
        let listed = self.list(FileKind::Pack).await?;
        self.workers()
            .run({
                let (this, options) = (self.clone(), options.clone());
                move || plan(&this, &options, index, found, &listed)
            })
            .await?
    }

    fn refuse_options(&self, options: &PruneOptions) -> Result<()> {
        let refuse = |why: &str| Err(Error::new(ErrorKind::Invalid, why));
        if options.repack_uncompressed && self.config().version < RepositoryVersion::V2 {
            return refuse("a repository of version 1 cannot hold compressed data");
        }
        if options.repack_uncompressed
            && self.settings().compression == crate::compression::Level::Off
        {
            return refuse(
                "compressing what is not compressed makes no sense with compression off",
            );
        }
        let pack_size = u64::from(self.settings().pack_size_bytes);
        if options
            .repack_smaller_than_bytes
            .is_some_and(|bytes| bytes > pack_size)
        {
            return refuse(
                "packs that are smaller than this, but larger than packs are made, cannot be rewritten",
            );
        }
        Ok(())
    }
}

/// What is needed, and by whom.
struct Found {
    snapshots: HashSet<Id>,
    trash: TrashPlan,
    used: Marks,
    figures: PruneFigures,
}

fn plan(
    repository: &Repository,
    options: &PruneOptions,
    index: Arc<Index>,
    found: Found,
    listed: &[FileEntry],
) -> Result<PrunePlan> {
    let Found {
        snapshots,
        trash,
        used,
        figures,
    } = found;
    let stored: HashMap<Id, u64> = listed
        .iter()
        .map(|pack| (pack.id, pack.size_bytes))
        .collect();
    let known: HashSet<&Id> = index.packs().iter().collect();
    let unreferenced: Vec<FileEntry> = listed
        .iter()
        .filter(|pack| !known.contains(&pack.id))
        .copied()
        .collect();
    drop(known);
    let mut figures = PruneFigures {
        snapshots: snapshots.len() as u64,
        packs_unreferenced: unreferenced.len() as u64,
        unreferenced_bytes: unreferenced.iter().map(|pack| pack.size_bytes).sum(),
        ..figures
    };
    let Selection { packs, chosen } = select(&index, &used, &stored, &mut figures);
    let actions = decide(repository, index.packs(), &packs, options, &mut figures)?;
    let moved = moved(&index, &chosen, &actions);
    let compress_data = options.repack_uncompressed;
    let old_indexes = if figures.changes_no_packs() {
        HashSet::new()
    } else {
        old_indexes(&index, &actions)
    };
    figures.indexes_replace = old_indexes.len() as u64;
    Ok(PrunePlan {
        figures,
        index,
        used,
        actions,
        moved,
        old_indexes,
        unreferenced,
        snapshots,
        trash,
        compress_data,
    })
}

/// Of the chosen records those in packs that go, unless another copy lies in a pack that stays.
fn moved(index: &Index, chosen: &Marks, actions: &[Action]) -> Marks {
    let moved = Marks::new(index);
    let stays = |pack: u32| actions.get(pack as usize) == Some(&Action::Keep);
    for kind in [BlobKind::Data, BlobKind::Tree] {
        // Records of one blob follow each other.
        let mut records = index
            .blobs(kind)
            .zip(index.pack_numbers(kind))
            .enumerate()
            .peekable();
        while let Some((position, (blob, pack))) = records.next() {
            let mut candidate = chosen.of(kind).get(position).then_some(position);
            let mut has_staying_copy = stays(pack);
            while let Some((position, (_, pack))) =
                records.next_if(|(_, (next, _))| next.id == blob.id)
            {
                candidate = candidate.or_else(|| chosen.of(kind).get(position).then_some(position));
                has_staying_copy |= stays(pack);
            }
            if let Some(position) = candidate.filter(|_| !has_staying_copy) {
                moved.of(kind).set(position);
            }
        }
    }
    moved
}

#[cfg(test)]
mod tests;
