//! The blobs that snapshots use, as they are stored.

use super::{Scan, Stats};
use crate::Result;
use crate::crypto::OVERHEAD;
use crate::format::{BlobKind, Id, NodeKind, RepositoryVersion};
use crate::index::{Index, Location};
use crate::progress::Amount;
use crate::usage::Marks;
use crate::walk::{Found, walk_union};

/// The blobs that have been counted, with their sizes in bytes.
struct Blobs {
    counted: Marks,
    count: u64,
    stored: u64,
    uncompressed: u64,
    compressed_stored: u64,
    compressed_uncompressed: u64,
    data_plain: u64,
}

impl Blobs {
    fn new(index: &Index) -> Self {
        Self {
            counted: Marks::new(index),
            count: 0,
            stored: 0,
            uncompressed: 0,
            compressed_stored: 0,
            compressed_uncompressed: 0,
            data_plain: 0,
        }
    }

    /// Counts a blob that has not been counted. False for one that is in no index.
    fn count(&mut self, index: &Index, kind: BlobKind, id: &Id) -> bool {
        let Some(is_new) = self.counted.mark(index, kind, id) else {
            return false;
        };
        if is_new && let Some(location) = index.locate(kind, id) {
            self.add(kind, &location);
        }
        true
    }

    fn add(&mut self, kind: BlobKind, location: &Location) {
        let stored = u64::from(location.length);
        let plain = u64::from(location.plain_length());
        let uncompressed = plain + OVERHEAD as u64;
        self.count += 1;
        self.stored += stored;
        self.uncompressed += uncompressed;
        if location.uncompressed_length.is_some() {
            self.compressed_stored += stored;
            self.compressed_uncompressed += uncompressed;
        }
        if kind == BlobKind::Data {
            self.data_plain += plain;
        }
    }

    fn stats(&self, version: RepositoryVersion, files_bytes: u64) -> Stats {
        let mut stats = Stats {
            total_size_bytes: self.stored,
            total_blob_count: self.count,
            deduplication_ratio: ratio(files_bytes, self.data_plain),
            ..Stats::default()
        };
        if version == RepositoryVersion::V1 {
            return stats;
        }
        let percent = |ratio: f64| ratio * 100.0;
        stats.total_uncompressed_size_bytes = self.uncompressed;
        stats.compression_ratio = ratio(self.compressed_uncompressed, self.compressed_stored);
        stats.compression_progress =
            ratio(self.compressed_uncompressed, self.uncompressed).map(percent);
        stats.compression_space_saving =
            ratio(self.stored, self.uncompressed).map(|rest| percent(1.0 - rest));
        stats
    }
}

fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| of as f64 / to as f64)
}

impl Scan<'_> {
    pub(super) async fn raw_data(&self) -> Result<Stats> {
        let mut blobs = Blobs::new(self.index);
        let mut files_bytes: u64 = 0;
        for tree in self.trees {
            if !blobs.count(self.index, BlobKind::Tree, tree) {
                self.damaged(b"/", &format!("tree {} is in no index", tree.short()));
            }
        }
        walk_union(
            self.repository,
            self.index,
            self.trees,
            self.cancel,
            &mut |what, members| {
                let entry = match what {
                    Found::Entry(entry) => entry,
                    Found::Damage(damage) => {
                        self.damaged(&damage.path, &damage.error);
                        return false;
                    }
                };
                let node = &entry.node;
                let before = (blobs.count, blobs.stored);
                let tree = node.subtree.iter().filter(|_| node.kind == NodeKind::Dir);
                let data = node.content.iter().flatten();
                let used = tree
                    .map(|id| (BlobKind::Tree, id))
                    .chain(data.map(|id| (BlobKind::Data, id)));
                for (kind, id) in used {
                    if !blobs.count(self.index, kind, id) {
                        self.damaged(
                            &entry.path,
                            &format!("{kind} blob {} is in no index", id.short()),
                        );
                    }
                }
                let bytes = node.size_bytes.saturating_mul(members.len() as u64);
                files_bytes = files_bytes.saturating_add(bytes);
                self.progress.advance(Amount {
                    files: 1,
                    bytes: blobs.stored - before.1,
                    items: blobs.count - before.0,
                });
                true
            },
        )
        .await?;
        Ok(blobs.stats(self.repository.config().version, files_bytes))
    }
}
