//! The figures of an operation that writes, counted from many threads.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::BlobKind;

/// What an operation wrote in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterTotals {
    /// New data blobs.
    pub data_blobs: u64,
    /// New tree blobs.
    pub tree_blobs: u64,
    /// Bytes of new blobs before compression.
    pub plain_bytes: u64,
    /// Bytes of new blobs in packs.
    pub stored_bytes: u64,
    /// Packs.
    pub packs: u64,
}

#[derive(Default)]
pub(super) struct Totals {
    data_blobs: AtomicU64,
    tree_blobs: AtomicU64,
    plain_bytes: AtomicU64,
    stored_bytes: AtomicU64,
    packs: AtomicU64,
}

impl Totals {
    pub fn blob(&self, kind: BlobKind, plain_bytes: u64, stored_bytes: u64) {
        let blobs = match kind {
            BlobKind::Data => &self.data_blobs,
            BlobKind::Tree => &self.tree_blobs,
        };
        blobs.fetch_add(1, Ordering::Relaxed);
        self.plain_bytes.fetch_add(plain_bytes, Ordering::Relaxed);
        self.stored_bytes.fetch_add(stored_bytes, Ordering::Relaxed);
    }

    pub fn pack(&self) {
        self.packs.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> WriterTotals {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterTotals {
            data_blobs: load(&self.data_blobs),
            tree_blobs: load(&self.tree_blobs),
            plain_bytes: load(&self.plain_bytes),
            stored_bytes: load(&self.stored_bytes),
            packs: load(&self.packs),
        }
    }
}
