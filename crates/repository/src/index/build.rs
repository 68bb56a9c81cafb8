//! Building an index from what index files and pack headers say.

use std::collections::HashMap;

use super::table::{Record, Table};
use super::{Index, IndexFileContent};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};

/// Collects packs and blobs, then becomes an [`Index`].
#[derive(Debug, Default)]
pub struct IndexBuilder {
    numbers: HashMap<Id, u32>,
    packs: Vec<Id>,
    data: Vec<Record>,
    trees: Vec<Record>,
    files: Vec<IndexFileContent>,
}

impl IndexBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of a pack; a pack that was not seen before gets the next one.
    pub fn pack(&mut self, id: Id) -> u32 {
        let packs = &mut self.packs;
        *self.numbers.entry(id).or_insert_with(|| {
            packs.push(id);
            // 2^32 packs are 64 PiB at the smallest size; an index of so many does not fit in memory.
            u32::try_from(packs.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Adds a blob of a pack.
    pub fn blob(&mut self, pack: u32, blob: &PackedBlob) {
        let record = Record {
            id: blob.id,
            pack,
            offset: blob.offset,
            length: blob.length,
            uncompressed_length: blob
                .uncompressed_length
                .map_or(0, std::num::NonZeroU32::get),
        };
        match blob.kind {
            BlobKind::Data => self.data.push(record),
            BlobKind::Tree => self.trees.push(record),
        }
    }

    /// Notes which packs an index file describes.
    pub fn file(&mut self, id: Id, packs: Vec<u32>) {
        self.files.push(IndexFileContent { id, packs });
    }

    /// Adds all that another builder collected.
    pub fn merge(&mut self, other: Self) {
        let numbers: Vec<u32> = other.packs.iter().map(|id| self.pack(*id)).collect();
        let renumber = |pack: u32| {
            usize::try_from(pack)
                .ok()
                .and_then(|pack| numbers.get(pack).copied())
        };
        for (records, all) in [(other.data, &mut self.data), (other.trees, &mut self.trees)] {
            all.extend(records.into_iter().filter_map(|record| {
                Some(Record {
                    pack: renumber(record.pack)?,
                    ..record
                })
            }));
        }
        self.files
            .extend(other.files.into_iter().map(|file| IndexFileContent {
                id: file.id,
                packs: file.packs.into_iter().filter_map(renumber).collect(),
            }));
    }

    /// Sorts everything into an index.
    pub fn build(self) -> Index {
        Index {
            packs: self.packs,
            data: Table::new(self.data),
            trees: Table::new(self.trees),
            files: self.files,
            is_reduced: false,
        }
    }
}
