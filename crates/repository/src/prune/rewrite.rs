//! New index files in place of those that name packs which are to go.

use std::collections::HashSet;

use super::plan::PrunePlan;
use crate::Result;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::format::index::{BLOBS_SUGGESTED, IndexEncoder};
use crate::format::pack_header::PackedBlob;
use crate::index::IndexedBlob;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::{Bitmap, PackContents};

/// Which index files go, and what came in their place.
pub(super) struct Rewritten {
    /// Index files that are to be removed.
    pub old: HashSet<Id>,
    /// Index files that were stored.
    pub new: Vec<Id>,
    /// Packs (by their numbers) that stay and that the new files describe.
    pub packs: Bitmap,
}

/// Stores index files that describe every pack that stays and that an index file names which has to go.
///
/// A pack is described by all that is known of it: where two index files had a part each (story T-08), the new one has
/// both, whether the other file goes or not.
pub(super) async fn rewrite_index(
    repository: &Repository,
    plan: &PrunePlan,
    progress: &dyn Progress,
) -> Result<Rewritten> {
    progress.begin(Phase::WriteIndex);
    let packs = Bitmap::new(plan.index.packs().len());
    let mut old = HashSet::new();
    for file in plan.index.files() {
        let has_to_go = |pack: &u32| plan.action(*pack as usize).leaves_index();
        if file.packs.iter().any(has_to_go) {
            old.insert(file.id);
            for pack in file.packs.iter().filter(|pack| !has_to_go(pack)) {
                packs.set(*pack as usize);
            }
        }
    }
    let contents = PackContents::new(&plan.index, |_, _, pack| packs.get(pack as usize))?;
    let mut new = Vec::new();
    let mut encoder = IndexEncoder::new();
    let mut blobs_in_file = 0_usize;
    for (number, id) in plan
        .index
        .packs()
        .iter()
        .enumerate()
        .filter(|(number, _)| packs.get(*number))
    {
        let blobs: Vec<PackedBlob> = contents
            .blobs(&plan.index, number)
            .iter()
            .map(packed)
            .collect();
        encoder.pack(id, &blobs);
        blobs_in_file = blobs_in_file.saturating_add(blobs.len());
        if blobs_in_file >= BLOBS_SUGGESTED {
            new.push(save(repository, std::mem::take(&mut encoder), progress).await?);
            blobs_in_file = 0;
        }
    }
    if blobs_in_file > 0 {
        new.push(save(repository, encoder, progress).await?);
    }
    Ok(Rewritten { old, new, packs })
}

async fn save(
    repository: &Repository,
    encoder: IndexEncoder,
    progress: &dyn Progress,
) -> Result<Id> {
    let id = repository
        .save_file(FileKind::Index, encoder.finish())
        .await?;
    progress.advance(Amount {
        items: 1,
        ..Amount::default()
    });
    Ok(id)
}

fn packed(blob: &IndexedBlob) -> PackedBlob {
    PackedBlob {
        kind: blob.kind,
        id: blob.id,
        offset: blob.location.offset,
        length: blob.location.length,
        uncompressed_length: blob.location.uncompressed_length,
    }
}
