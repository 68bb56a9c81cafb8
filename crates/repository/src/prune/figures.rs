//! The figures of a plan, in restic's terms.

use serde::Serialize;

/// Blobs with their bytes as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// How many.
    pub blobs: u64,
    /// Their bytes in packs, without the packs' headers.
    pub bytes: u64,
}

impl Amounts {
    pub(super) fn add(&mut self, blobs: u64, bytes: u64) {
        self.blobs = self.blobs.saturating_add(blobs);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            blobs: self.blobs.saturating_add(other.blobs),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            blobs: self.blobs.saturating_sub(other.blobs),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// What a prune finds and does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PruneFigures {
    /// Blobs that snapshots use, each once.
    pub used: Amounts,
    /// Further copies of used blobs.
    pub duplicate: Amounts,
    /// Blobs that no snapshot uses.
    pub unused: Amounts,
    /// Bytes of packs that no index names.
    pub unreferenced_bytes: u64,
    /// All blobs of the packs that are rewritten. The bytes include the headers of these packs.
    pub repack: Amounts,
    /// Those of them that are left out.
    pub repack_removes: Amounts,
    /// Blobs of packs that are removed whole.
    pub remove: Amounts,
    /// Bytes of packs with data that is not compressed, after the prune; zero in version 1.
    pub uncompressed_bytes: u64,
    /// Packs with used blobs alone.
    pub packs_used: u64,
    /// Packs with used and unused blobs.
    pub packs_partly_used: u64,
    /// Packs without used blobs.
    pub packs_unused: u64,
    /// Packs that no index names; they are removed.
    pub packs_unreferenced: u64,
    /// Packs that stay as they are.
    pub packs_keep: u64,
    /// Packs that are rewritten and then removed.
    pub packs_repack: u64,
    /// Packs that are removed.
    pub packs_remove: u64,
    /// Packs that are gone and that nobody needs: the index forgets them.
    pub packs_forget: u64,
    /// Index files that are replaced: those that name packs which go, and small ones where there are many.
    pub indexes_replace: u64,
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Snapshots in the trash that stay there; what they need counts as used.
    pub trash_kept: u64,
    /// Those of them that lack something, which another program has removed.
    pub trash_incomplete: u64,
    /// Snapshots that leave the trash for good.
    pub trash_expired: u64,
}

impl PruneFigures {
    /// All blobs.
    pub fn total(&self) -> Amounts {
        let mut total = self.used.plus(self.duplicate).plus(self.unused);
        total.add(0, self.unreferenced_bytes);
        total
    }

    /// What is removed in all.
    pub fn removed(&self) -> Amounts {
        let mut removed = self.remove.plus(self.repack_removes);
        removed.add(0, self.unreferenced_bytes);
        removed
    }

    /// What is there afterwards.
    pub fn remaining(&self) -> Amounts {
        self.total().minus(self.removed())
    }

    /// What of it no snapshot uses, or is there twice.
    pub fn unused_after(&self) -> Amounts {
        self.duplicate
            .plus(self.unused)
            .minus(self.remove)
            .minus(self.repack_removes)
    }

    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.trash_expired == 0 && self.changes_no_packs()
    }

    /// Whether packs and index stay as they are.
    pub(super) fn changes_no_packs(&self) -> bool {
        self.packs_unreferenced == 0
            && self.packs_repack == 0
            && self.packs_remove == 0
            && self.packs_forget == 0
    }
}
