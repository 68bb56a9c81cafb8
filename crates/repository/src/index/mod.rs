//! Which blob lies where: the index of a repository in memory.
//!
//! Arithmetic: 48 bytes a blob (32 of the identifier, 4 each for pack, offset, length and plain length), data and
//! trees in tables of their own so that no byte is needed for the kind. The tables are sorted; since identifiers are
//! evenly distributed, a look-up interpolates and needs three or four probes at ten million blobs.

mod build;
mod cached;
mod load;
mod sort;
mod table;

pub(crate) use build::{IndexBuilder, Part};
pub use cached::IndexCache;
pub use table::Location;

use std::collections::HashMap;
use std::num::NonZeroU32;

use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use table::{Record, Table};

/// All blobs that the index files of a repository name. Immutable once built.
#[derive(Debug, Default)]
pub struct Index {
    packs: Vec<Id>,
    data: Table,
    trees: Table,
    /// For every index file the packs that it describes.
    files: Vec<IndexFileContent>,
    /// Records were left out, since what they name is lost.
    is_reduced: bool,
}

/// What one index file describes.
#[derive(Debug, Clone)]
pub struct IndexFileContent {
    /// The index file.
    pub id: Id,
    /// Packs in it, as numbers of [`Index::packs`].
    pub packs: Vec<u32>,
}

/// A blob and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedBlob {
    /// What the blob holds.
    pub kind: BlobKind,
    /// Its identifier.
    pub id: Id,
    /// Where it lies.
    pub location: Location,
}

impl IndexedBlob {
    /// The blob as an index file and the header of its pack describe it.
    pub(crate) fn packed(&self) -> PackedBlob {
        PackedBlob {
            kind: self.kind,
            id: self.id,
            offset: self.location.offset,
            length: self.location.length,
            uncompressed_length: self.location.uncompressed_length,
        }
    }
}

impl Index {
    /// One place of a blob; `None` if the index does not name it.
    pub fn locate(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        self.locate_all(kind, id).next()
    }

    /// All places of a blob: more than one if it was stored twice.
    pub fn locate_all(&self, kind: BlobKind, id: &Id) -> impl Iterator<Item = Location> {
        self.places(kind, id).map(|(_, place)| place)
    }

    /// The same with the position of each record. Those of one blob follow each other in an index that was loaded whole.
    pub fn places(&self, kind: BlobKind, id: &Id) -> impl Iterator<Item = (usize, Location)> {
        let records = self.table(kind).find(id);
        records.filter_map(|(position, record)| Some((position, self.location(record)?)))
    }

    /// Whether the blob is known.
    pub fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        self.table(kind).position(id).is_some()
    }

    /// Position of the blob's first record among all records of its kind: `0..self.len(kind)`, for bitmaps.
    pub fn ordinal(&self, kind: BlobKind, id: &Id) -> Option<usize> {
        self.table(kind).position(id)
    }

    /// The record at a position: `0..self.len(kind)`.
    pub fn at(&self, kind: BlobKind, position: usize) -> Option<IndexedBlob> {
        let record = self.table(kind).get(position)?;
        Some(IndexedBlob {
            kind,
            id: record.id,
            location: self.location(record)?,
        })
    }

    /// Number of records of a kind; a blob that is stored twice counts twice.
    pub fn len(&self, kind: BlobKind) -> usize {
        self.table(kind).len()
    }

    /// Whether no blob is known.
    pub fn is_empty(&self) -> bool {
        self.len(BlobKind::Data) == 0 && self.len(BlobKind::Tree) == 0
    }

    /// All packs, in the order of their numbers.
    pub fn packs(&self) -> &[Id] {
        &self.packs
    }

    /// The index files that this was built from, with what each describes.
    pub fn files(&self) -> &[IndexFileContent] {
        &self.files
    }

    /// All records of a kind in the order of their positions, which in an index that was loaded whole is that of their
    /// identifiers.
    pub fn blobs(&self, kind: BlobKind) -> impl Iterator<Item = IndexedBlob> {
        self.table(kind).iter().filter_map(move |record| {
            Some(IndexedBlob {
                kind,
                id: record.id,
                location: self.location(record)?,
            })
        })
    }

    /// The number of the pack in which each record of a kind lies, in the order of [`Index::blobs`].
    pub fn pack_numbers(&self, kind: BlobKind) -> impl Iterator<Item = u32> {
        self.table(kind).iter().map(|record| record.pack)
    }

    /// All records grouped by pack, each group in the order of the offsets.
    pub fn by_pack(&self) -> HashMap<Id, Vec<IndexedBlob>> {
        let mut packs: HashMap<Id, Vec<IndexedBlob>> =
            self.packs.iter().map(|id| (*id, Vec::new())).collect();
        for kind in [BlobKind::Data, BlobKind::Tree] {
            for blob in self.blobs(kind) {
                packs.entry(blob.location.pack).or_default().push(blob);
            }
        }
        for blobs in packs.values_mut() {
            blobs.sort_unstable_by_key(|blob| blob.location.offset);
        }
        packs
    }

    /// For each pack where its last record ends; zero for one without records. What is in the cache has that at hand.
    pub(crate) fn pack_ends(&self) -> Vec<u32> {
        let mut ends = self
            .data
            .stored()
            .map_or_else(Vec::new, |stored| stored.pack_ends().to_vec());
        ends.resize(self.packs.len(), 0);
        for record in self.data.in_memory().iter().chain(self.trees.in_memory()) {
            if let Some(end) = ends.get_mut(record.pack as usize) {
                *end = record.offset.saturating_add(record.length).max(*end);
            }
        }
        ends
    }

    /// The index without the records that `is_lost` picks by kind, position and place. Packs keep their numbers.
    pub(crate) fn without(&self, is_lost: impl Fn(BlobKind, usize, &Location) -> bool) -> Self {
        let rest = |kind| {
            let records = self.table(kind).iter().enumerate();
            let rest = records.filter(|(position, record)| {
                let place = self.location(record);
                place.is_some_and(|place| !is_lost(kind, *position, &place))
            });
            Table::new(rest.map(|(_, record)| *record).collect())
        };
        Self {
            packs: self.packs.clone(),
            data: rest(BlobKind::Data),
            trees: rest(BlobKind::Tree),
            files: self.files.clone(),
            is_reduced: true,
        }
    }

    /// Whether records were left out, since what they name is lost.
    pub fn is_reduced(&self) -> bool {
        self.is_reduced
    }

    /// How many records there are, of both kinds.
    fn records(&self) -> usize {
        self.data.len().saturating_add(self.trees.len())
    }

    fn into_memory(self) -> (Vec<Record>, Vec<Record>) {
        (self.data.into_memory(), self.trees.into_memory())
    }

    fn table(&self, kind: BlobKind) -> &Table {
        match kind {
            BlobKind::Data => &self.data,
            BlobKind::Tree => &self.trees,
        }
    }

    fn location(&self, record: &Record) -> Option<Location> {
        Some(Location {
            pack: *self.packs.get(usize::try_from(record.pack).ok()?)?,
            offset: record.offset,
            length: record.length,
            uncompressed_length: NonZeroU32::new(record.uncompressed_length),
        })
    }
}
