//! Building an index from what index files say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cached::{CachedIndex, Coverage, Rescue, StoredTable};
use super::table::{Record, Table};
use super::{Index, IndexFileContent};
use crate::error::Context;
use crate::format::index::{self, Sink};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::repository::Repository;
use crate::{Error, Result};

/// What one index file says. Its records name packs by their place in `packs`.
#[derive(Debug, Default)]
pub(crate) struct Part {
    packs: Vec<Id>,
    data: Vec<Record>,
    trees: Vec<Record>,
}

/// The shortest text of a blob in an index file, of hexadecimal digits mostly.
const JSON_OF_A_BLOB: usize = 112;

impl Part {
    /// Decodes an index file. Keeps a core busy: call it on a worker.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if it is none.
    pub fn decode(id: &Id, plain: &[u8]) -> Result<Self> {
        let mut part = Self::default();
        part.data.reserve(plain.len() / JSON_OF_A_BLOB);
        index::decode_into(plain, &mut part)
            .map_err(Error::from)
            .context(|| format!("index {}", id.short()))?;
        Ok(part)
    }
}

impl Sink for Part {
    fn pack(&mut self, pack: &Id) {
        self.packs.push(*pack);
    }

    fn blob(&mut self, blob: PackedBlob) {
        let record = Record {
            id: blob.id,
            // 2^32 packs are 64 PiB at the smallest size; an index of so many does not fit in memory.
            pack: u32::try_from(self.packs.len().saturating_sub(1)).unwrap_or(u32::MAX),
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

    fn restart(&mut self) {
        self.packs.clear();
        self.data.clear();
        self.trees.clear();
    }
}

impl Index {
    /// The index that one index file alone describes. Keeps a core busy: call it on a worker.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if it is none.
    pub fn of_file(id: Id, json: &[u8]) -> Result<Self> {
        let mut builder = IndexBuilder::default();
        builder.add(id, Part::decode(&id, json)?);
        Ok(builder.build())
    }
}

/// Collects what index files say, then becomes an [`Index`].
#[derive(Debug, Default)]
pub(crate) struct IndexBuilder {
    numbers: HashMap<Id, u32>,
    packs: Vec<Id>,
    data: Collected,
    trees: Collected,
    files: Vec<IndexFileContent>,
}

/// The records of one kind.
#[derive(Debug, Default)]
struct Collected {
    sorted: Vec<Record>,
    unsorted: Vec<Record>,
}

impl IndexBuilder {
    /// A builder in which these packs have their numbers already.
    pub(super) fn with_packs(packs: &[Id]) -> Self {
        let mut builder = Self::default();
        for pack in packs {
            builder.pack(*pack);
        }
        builder
    }

    /// What a cached index says that is still true; `None` where it is damaged. Keeps all cores busy.
    pub(super) fn from_cached(cached: &CachedIndex, coverage: &Coverage) -> Option<Self> {
        let read = cached.all(BlobKind::Data).zip(cached.all(BlobKind::Tree));
        let Some((mut data, mut trees)) = read else {
            cached.discard();
            return None;
        };
        let mut builder = Self::default();
        // Packs that stay keep their order, so that records stay sorted.
        let packs = cached.header.packs.iter().zip(&coverage.is_changed);
        let numbers: Vec<Option<u32>> = packs
            .map(|(id, is_changed)| (!is_changed).then(|| builder.pack(*id)))
            .collect();
        let number = |pack: u32| numbers.get(pack as usize).copied().flatten();
        if coverage.is_changed.contains(&true) {
            for records in [&mut data, &mut trees] {
                records.retain_mut(|record| {
                    let pack = number(record.pack);
                    record.pack = pack.unwrap_or(record.pack);
                    pack.is_some()
                });
            }
        }
        builder.data.sorted = data;
        builder.trees.sorted = trees;
        let covered: HashSet<&Id> = coverage.covered.iter().collect();
        let files = cached.header.files.iter();
        for file in files.filter(|file| covered.contains(&file.id)) {
            builder.files.push(IndexFileContent {
                id: file.id,
                packs: file.packs.iter().filter_map(|pack| number(*pack)).collect(),
            });
        }
        Some(builder)
    }

    /// The packs seen so far, in the order of their numbers.
    pub(super) fn packs(&self) -> &[Id] {
        &self.packs
    }

    /// How many records there are.
    pub(super) fn records(&self) -> usize {
        let count = |collected: &Collected| collected.sorted.len() + collected.unsorted.len();
        count(&self.data) + count(&self.trees)
    }

    /// The number of a pack; a pack that was not seen before gets the next one.
    fn pack(&mut self, id: Id) -> u32 {
        let packs = &mut self.packs;
        *self.numbers.entry(id).or_insert_with(|| {
            packs.push(id);
            u32::try_from(packs.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Adds what an index file says.
    pub fn add(&mut self, file: Id, part: Part) {
        let numbers: Vec<u32> = part.packs.iter().map(|id| self.pack(*id)).collect();
        self.data.add(part.data, &numbers);
        self.trees.add(part.trees, &numbers);
        let mut packs = numbers;
        packs.dedup();
        self.files.push(IndexFileContent { id: file, packs });
    }

    /// Adds what another builder got from index files.
    pub(super) fn append(&mut self, other: Self) {
        let numbers: Vec<u32> = other.packs.iter().map(|id| self.pack(*id)).collect();
        self.data.add(other.data.unsorted, &numbers);
        self.trees.add(other.trees.unsorted, &numbers);
        for file in other.files {
            let packs = file.packs.iter();
            let packs = packs.filter_map(|pack| numbers.get(*pack as usize).copied());
            self.files.push(IndexFileContent {
                id: file.id,
                packs: packs.collect(),
            });
        }
    }

    /// Sorts everything into an index.
    pub fn build(self) -> Index {
        Index {
            packs: self.packs,
            data: self.data.build(),
            trees: self.trees.build(),
            files: self.files,
            is_reduced: false,
        }
    }

    /// An index of what the cache has, which is read when it is needed, and of what was collected here, which lies in
    /// other packs.
    pub(super) fn build_beside(self, cached: CachedIndex, repository: Repository) -> Index {
        let mut packs = cached.header.packs.clone();
        let mut files = cached.header.files.clone();
        let base = u32::try_from(packs.len()).unwrap_or(u32::MAX);
        packs.extend(&self.packs);
        files.extend(self.files.into_iter().map(|file| {
            IndexFileContent {
                id: file.id,
                packs: file
                    .packs
                    .iter()
                    .map(|pack| pack.saturating_add(base))
                    .collect(),
            }
        }));
        let source = Arc::new(Rescue::new(cached, repository));
        let table = |kind, collected: Collected| {
            let mut records = collected.unsorted;
            for record in &mut records {
                record.pack = record.pack.saturating_add(base);
            }
            Table::beside(StoredTable::new(Arc::clone(&source), kind), records)
        };
        Index {
            data: table(BlobKind::Data, self.data),
            trees: table(BlobKind::Tree, self.trees),
            packs,
            files,
            is_reduced: false,
        }
    }
}

impl Collected {
    /// Adds records, whose packs get these numbers.
    fn add(&mut self, records: Vec<Record>, numbers: &[u32]) {
        let renumbered = records.into_iter().filter_map(|record| {
            let pack = *numbers.get(record.pack as usize)?;
            Some(Record { pack, ..record })
        });
        self.unsorted.extend(renumbered);
    }

    fn build(self) -> Table {
        Table::merged(self.sorted, self.unsorted)
    }
}

#[cfg(test)]
mod tests;
