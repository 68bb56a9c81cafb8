//! The blobs of both sides.

use std::collections::HashSet;

use super::DiffFigures;
use crate::format::{BlobKind, Id, Node, NodeKind};
use crate::index::Index;
use crate::progress::Progress;

/// Blobs, each with its kind.
pub(super) type Blobs = HashSet<(BlobKind, Id)>;

/// The blobs that an entry itself uses.
pub(super) fn blobs_of(node: &Node) -> impl Iterator<Item = (BlobKind, Id)> {
    let is_file = node.kind == NodeKind::File;
    let data = node.content.iter().flatten().filter(move |_| is_file);
    let tree = super::compare::subtree(node);
    data.map(|id| (BlobKind::Data, *id))
        .chain(tree.map(|id| (BlobKind::Tree, id)))
}

impl DiffFigures {
    pub(super) fn count_entry(&mut self, node: &Node) {
        match node.kind {
            NodeKind::File => self.files += 1,
            NodeKind::Dir => self.dirs += 1,
            _ => self.others += 1,
        }
    }

    pub(super) fn count_blobs(&mut self, blobs: &Blobs, index: &Index, progress: &dyn Progress) {
        for (kind, id) in blobs {
            match kind {
                BlobKind::Data => self.data_blobs += 1,
                BlobKind::Tree => self.tree_blobs += 1,
            }
            match index.locate(*kind, id) {
                Some(location) => self.bytes += u64::from(location.plain_length()),
                None => progress.warning(&format!("{kind} blob {} is in no index", id.short())),
            }
        }
    }
}
