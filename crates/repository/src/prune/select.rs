//! Which copy of each used blob stays, and what that makes of each pack.

use std::collections::HashMap;

use super::figures::PruneFigures;
use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::usage::{Marks, PackShape, pack_shapes};

/// What the blobs of a pack are good for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PackUse {
    pub shape: PackShape,
    /// Blobs of which this pack's copy is the one that stays.
    pub used_blobs: u64,
    /// Their bytes, and the header's.
    pub used_bytes: u64,
    /// All others.
    pub unused_blobs: u64,
    pub unused_bytes: u64,
    /// Those of the others of which there is another copy and that are used.
    duplicate_blobs: u64,
    /// The pack is there, as long as the index says.
    pub is_whole: bool,
    /// The pack is there.
    pub exists: bool,
}

impl PackUse {
    pub fn size_bytes(&self) -> u64 {
        self.used_bytes.saturating_add(self.unused_bytes)
    }

    fn take_into_use(&mut self, bytes: u64) {
        self.used_blobs = self.used_blobs.saturating_add(1);
        self.used_bytes = self.used_bytes.saturating_add(bytes);
        self.unused_blobs = self.unused_blobs.saturating_sub(1);
        self.unused_bytes = self.unused_bytes.saturating_sub(bytes);
    }

    /// A copy here is better than one elsewhere: the pack stays in all likelihood. Packs that hold nothing but copies
    /// were written by a prune that was interrupted, and are better than what it was about to remove.
    fn is_good_for_copies(&self) -> (bool, bool) {
        let stays = self.used_blobs > 0 || self.duplicate_blobs == self.unused_blobs;
        (self.is_whole, stays)
    }
}

/// The result.
pub(super) struct Selection {
    /// By the packs' numbers.
    pub packs: Vec<PackUse>,
    /// For each used blob the one record that stays.
    pub chosen: Marks,
}

const KINDS: [BlobKind; 2] = [BlobKind::Data, BlobKind::Tree];

/// Chooses one record for every blob that `used` marks (by its first record).
pub(super) fn select(
    index: &Index,
    used: &Marks,
    stored: &HashMap<Id, u64>,
    figures: &mut PruneFigures,
) -> Selection {
    let mut packs = new_packs(index, stored);
    let chosen = Marks::new(index);
    for kind in KINDS {
        each_group(index, kind, |first, group| {
            let is_used = used.of(kind).get(first);
            let is_copied = group.len() > 1;
            for record in group {
                let amounts = match (is_used, is_copied) {
                    (false, _) => &mut figures.unused,
                    (true, false) => &mut figures.used,
                    (true, true) => &mut figures.duplicate,
                };
                amounts.add(1, record.bytes);
                let Some(pack) = packs.get_mut(record.pack) else {
                    continue;
                };
                pack.unused_blobs = pack.unused_blobs.saturating_add(1);
                pack.unused_bytes = pack.unused_bytes.saturating_add(record.bytes);
                if is_used && is_copied {
                    pack.duplicate_blobs = pack.duplicate_blobs.saturating_add(1);
                } else if is_used {
                    pack.take_into_use(record.bytes);
                    chosen.of(kind).set(first);
                }
            }
        });
    }
    for kind in KINDS {
        each_group(index, kind, |first, group| {
            if group.len() < 2 || !used.of(kind).get(first) {
                return;
            }
            let best = group.iter().enumerate().max_by_key(|(_, record)| {
                let good = packs.get(record.pack).map(PackUse::is_good_for_copies);
                // Of equal ones that in the pack of the lowest name, so that blobs that lie together stay together and
                // a second plan is the same: the packs' numbers depend on which index file was loaded first.
                (
                    good,
                    std::cmp::Reverse((index.packs().get(record.pack), record.offset)),
                )
            });
            let Some((number, record)) = best else {
                return;
            };
            chosen.of(kind).set(first.saturating_add(number));
            if let Some(pack) = packs.get_mut(record.pack) {
                pack.take_into_use(record.bytes);
            }
            figures.used.add(1, record.bytes);
            figures.duplicate.blobs = figures.duplicate.blobs.saturating_sub(1);
            figures.duplicate.bytes = figures.duplicate.bytes.saturating_sub(record.bytes);
        });
    }
    Selection { packs, chosen }
}

fn new_packs(index: &Index, stored: &HashMap<Id, u64>) -> Vec<PackUse> {
    let shapes = pack_shapes(index);
    let ids = index.packs().iter();
    ids.zip(shapes)
        .map(|(id, shape)| {
            let size = stored.get(id).copied();
            PackUse {
                shape,
                used_bytes: shape.header_bytes(),
                exists: size.is_some(),
                is_whole: size == Some(shape.size_bytes()),
                ..PackUse::default()
            }
        })
        .collect()
}

/// One record of a blob.
struct GroupRecord {
    pack: usize,
    offset: u32,
    bytes: u64,
}

/// Calls `visit` for each blob of a kind, with the position of its first record and all of them, which follow each other
/// in an index that was loaded whole.
fn each_group(index: &Index, kind: BlobKind, mut visit: impl FnMut(usize, &[GroupRecord])) {
    let mut group = Vec::new();
    let (mut first, mut last) = (0, None);
    let blobs = index.blobs(kind).zip(index.pack_numbers(kind)).enumerate();
    for (position, (blob, pack)) in blobs {
        if last != Some(blob.id) {
            if !group.is_empty() {
                visit(first, &group);
            }
            group.clear();
            (first, last) = (position, Some(blob.id));
        }
        group.push(GroupRecord {
            pack: pack as usize,
            offset: blob.location.offset,
            bytes: u64::from(blob.location.length),
        });
    }
    if !group.is_empty() {
        visit(first, &group);
    }
}

#[cfg(test)]
mod tests;
