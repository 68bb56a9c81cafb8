//! What the index says of each pack as a whole.

use crate::format::{BlobKind, pack_header};
use crate::index::Index;

/// A pack by its index: sums over its blobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PackShape {
    /// Bytes of its blobs as stored.
    pub blobs_bytes: u64,
    /// Bytes of its header's entries.
    entries_bytes: u64,
    /// It holds data.
    pub has_data: bool,
    /// It holds trees.
    pub has_trees: bool,
    /// At least one blob is not compressed.
    pub has_uncompressed: bool,
}

impl PackShape {
    /// Bytes of the header with all that belongs to it.
    pub fn header_bytes(&self) -> u64 {
        pack_header::overhead(self.entries_bytes)
    }

    /// Bytes of the file.
    pub fn size_bytes(&self) -> u64 {
        self.blobs_bytes.saturating_add(self.header_bytes())
    }
}

/// The shapes of all packs, by their numbers.
pub(crate) fn pack_shapes(index: &Index) -> Vec<PackShape> {
    let mut shapes = vec![PackShape::default(); index.packs().len()];
    for kind in [BlobKind::Data, BlobKind::Tree] {
        for (pack, blob) in index.pack_numbers(kind).zip(index.blobs(kind)) {
            let Some(shape) = shapes.get_mut(pack as usize) else {
                continue;
            };
            let entry = match blob.location.uncompressed_length {
                Some(_) => pack_header::COMPRESSED_ENTRY_LENGTH,
                None => pack_header::PLAIN_ENTRY_LENGTH,
            };
            shape.blobs_bytes = shape
                .blobs_bytes
                .saturating_add(u64::from(blob.location.length));
            shape.entries_bytes = shape.entries_bytes.saturating_add(u64::from(entry));
            shape.has_data |= kind == BlobKind::Data;
            shape.has_trees |= kind == BlobKind::Tree;
            shape.has_uncompressed |= blob.location.uncompressed_length.is_none();
        }
    }
    shapes
}
