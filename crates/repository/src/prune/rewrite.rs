//! New index files in place of those that name packs which are to go.

use std::collections::HashSet;

use super::decide::Action;
use super::plan::PrunePlan;
use crate::Result;
use crate::format::index::BLOBS_SUGGESTED;
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexFileContent, IndexedBlob};
use crate::lock::Lock;
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::usage::{Bitmap, IndexFiles, PackContents};

/// What came in place of index files that go.
pub(super) struct Rewritten {
    /// Index files that were stored.
    pub new: Vec<Id>,
    /// Packs (by their numbers) that stay and that the new files describe.
    pub packs: Bitmap,
}

/// Index files below this size are small: a tenth of what a full one holds.
const SMALL_BLOBS: usize = BLOBS_SUGGESTED / 10;

/// Small index files after which they are merged. Every backup adds one, and each costs a request wherever the index is
/// loaded.
const SMALL_FILES_MAX: usize = 10;

/// The index files that go: those that name packs which are to go, and if anything is done at all, many small ones.
pub(super) fn old_indexes(index: &Index, actions: &[Action]) -> HashSet<Id> {
    let has_to_go = |pack: &u32| {
        actions
            .get(*pack as usize)
            .is_some_and(|action| action.leaves_index())
    };
    let (mut old, others): (Vec<&IndexFileContent>, Vec<_>) = index
        .files()
        .iter()
        .partition(|file| file.packs.iter().any(has_to_go));
    let mut blobs = vec![0_usize; index.packs().len()];
    for pack in [BlobKind::Data, BlobKind::Tree]
        .into_iter()
        .flat_map(|kind| index.pack_numbers(kind))
    {
        if let Some(count) = blobs.get_mut(pack as usize) {
            *count = count.saturating_add(1);
        }
    }
    let size = |file: &&IndexFileContent| -> usize {
        file.packs
            .iter()
            .filter_map(|pack| blobs.get(*pack as usize))
            .sum()
    };
    let small: Vec<&IndexFileContent> = others
        .into_iter()
        .filter(|file| size(file) < SMALL_BLOBS)
        .collect();
    if small.len() > SMALL_FILES_MAX {
        old.extend(small);
    }
    old.into_iter().map(|file| file.id).collect()
}

/// Stores index files that describe every pack that stays and that an index file names which has to go.
///
/// A pack is described by all that is known of it: where two index files had a part each (story T-08), the new one has
/// both, whether the other file goes or not.
pub(super) async fn rewrite_index(
    repository: &Repository,
    plan: &PrunePlan,
    lock: &Lock,
    progress: &dyn Progress,
) -> Result<Rewritten> {
    progress.begin(Phase::WriteIndex);
    let packs = Bitmap::new(plan.index.packs().len());
    for file in plan
        .index
        .files()
        .iter()
        .filter(|file| plan.old_indexes.contains(&file.id))
    {
        for pack in &file.packs {
            if !plan.action(*pack as usize).leaves_index() {
                packs.set(*pack as usize);
            }
        }
    }
    let contents = PackContents::new(&plan.index, |_, _, pack| packs.get(pack as usize))?;
    let mut files = IndexFiles::new(repository, lock, progress);
    for (number, id) in plan.index.packs().iter().enumerate() {
        if packs.get(number) {
            let blobs = contents.blobs(&plan.index, number);
            let blobs: Vec<PackedBlob> = blobs.iter().map(IndexedBlob::packed).collect();
            files.add(id, &blobs).await?;
        }
    }
    let new = files.finish().await?;
    Ok(Rewritten { new, packs })
}

#[cfg(test)]
mod tests;
