//! Reading the index of this machine's cache.

use std::collections::HashSet;
use std::io;

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use strongroom_storage::CacheTable;

use super::header::Header;
use super::{BLOCK_LENGTH, BLOCK_RECORDS, FOOTER, IndexCache, MAGIC, TABLE, key};
use crate::crypto::{MasterKey, OVERHEAD};
use crate::format::{BlobKind, Id};
use crate::index::table::Record;
use crate::repository::Repository;

/// Blocks that are read with one call where all are wanted.
const BATCH: usize = 64;

/// An index of the cache whose header has proved to be ours.
#[derive(Debug)]
pub(in crate::index) struct CachedIndex {
    pub header: Header,
    cache: IndexCache,
    table: CacheTable,
    key: MasterKey,
}

impl IndexCache {
    /// The index that is kept for a repository, if there is one. Blocks.
    pub(in crate::index) fn open(&self, repository: &Repository) -> Option<CachedIndex> {
        let table = match self.tables.open(TABLE) {
            Ok(table) => table,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.discard(&error.to_string());
                return None;
            }
        };
        let opened = key(repository).ok().and_then(|key| {
            let header = read_header(&table, &key, &repository.config().id)?;
            Some(CachedIndex {
                header,
                cache: self.clone(),
                table,
                key,
            })
        });
        if opened.is_none() {
            self.discard("its header is not what was written");
        }
        opened
    }
}

fn read_header(table: &CacheTable, key: &MasterKey, repository: &Id) -> Option<Header> {
    let mut magic = [0; MAGIC.len()];
    table.read_at(0, &mut magic).ok()?;
    let end = table.length().checked_sub(FOOTER as u64)?;
    let mut length = [0; FOOTER];
    table.read_at(end, &mut length).ok()?;
    let length = u64::from_le_bytes(length);
    let begin = end.checked_sub(length)?;
    if magic != MAGIC {
        return None;
    }
    // Not more than the file has, so that a flipped length allocates no more than that.
    let mut sealed = vec![0; usize::try_from(length).ok()?];
    table.read_at(begin, &mut sealed).ok()?;
    let header = Header::decode(key.open_in_place(&mut sealed).ok()?, repository)?;
    let blocks = header.data.bytes().checked_add(header.trees.bytes())?;
    (blocks.checked_add(MAGIC.len() as u64)? == begin).then_some(header)
}

impl CachedIndex {
    /// The records of a block; `None` where it is not what was written.
    pub fn block(&self, kind: BlobKind, block: usize) -> Option<Box<[Record]>> {
        let mut records = vec![Record::NONE; self.header.blocks(kind).length_of(block)];
        self.read(kind, block, &mut records)?;
        Some(records.into_boxed_slice())
    }

    /// All records of a kind, by all cores; `None` where a block is not what was written.
    pub fn all(&self, kind: BlobKind) -> Option<Vec<Record>> {
        let mut records = vec![Record::NONE; self.header.blocks(kind).records];
        records
            .par_chunks_mut(BLOCK_RECORDS * BATCH)
            .enumerate()
            .map(|(number, batch)| self.read(kind, number.checked_mul(BATCH)?, batch))
            .collect::<Option<()>>()?;
        Some(records)
    }

    /// Fills `records` from this block on.
    fn read(&self, kind: BlobKind, block: usize, records: &mut [Record]) -> Option<()> {
        let blocks = self.header.blocks(kind);
        let before = match kind {
            BlobKind::Data => 0,
            BlobKind::Tree => self.header.data.bytes(),
        };
        let offset = before
            .checked_add(MAGIC.len() as u64)?
            .checked_add(blocks.bytes_before(block))?;
        let count = records.len().div_ceil(BLOCK_RECORDS);
        let mut sealed = vec![0; records.len() * Record::LENGTH + count * OVERHEAD];
        self.table.read_at(offset, &mut sealed).ok()?;
        let tags = blocks.tags.get(block..)?;
        let parts = sealed.chunks_mut(BLOCK_LENGTH).zip(tags);
        for (records, (sealed, tag)) in records.chunks_mut(BLOCK_RECORDS).zip(parts) {
            // Sealed with our key is not enough: it has to be the block of this place in this file.
            if !sealed.ends_with(tag) {
                return None;
            }
            let plain = self.key.open_in_place(sealed).ok()?;
            let (plain, _) = plain.as_chunks::<{ Record::LENGTH }>();
            for (record, bytes) in records.iter_mut().zip(plain) {
                *record = Record::from_bytes(bytes);
            }
        }
        Some(())
    }

    /// Says that the file is not what was written, and removes it.
    pub fn discard(&self) {
        self.cache.discard("a part of it is not what was written");
    }

    /// What of this is still true where these index files are listed.
    pub fn against(&self, listed: impl Iterator<Item = Id>) -> Coverage {
        let mut unread: HashSet<Id> = listed.collect();
        let (present, vanished): (Vec<_>, Vec<_>) = self
            .header
            .files
            .iter()
            .partition(|file| unread.contains(&file.id));
        let mut is_changed = vec![false; self.header.packs.len()];
        for pack in vanished.iter().flat_map(|file| &file.packs) {
            if let Some(is_changed) = is_changed.get_mut(*pack as usize) {
                *is_changed = true;
            }
        }
        // What a file that is still there says of a changed pack is not told from what the vanished one said of it.
        let is_whole = |packs: &[u32]| {
            let mut packs = packs.iter();
            !packs.any(|pack| is_changed.get(*pack as usize).copied().unwrap_or(true))
        };
        let mut covered = Vec::new();
        for file in present.into_iter().filter(|file| is_whole(&file.packs)) {
            unread.remove(&file.id);
            covered.push(file.id);
        }
        Coverage {
            is_whole: vanished.is_empty(),
            covered,
            unread: unread.into_iter().collect(),
            is_changed,
        }
    }
}

/// What a cached index says of the index files that there are.
#[derive(Debug)]
pub(in crate::index) struct Coverage {
    /// No index file has vanished.
    pub is_whole: bool,
    /// Index files all of whose records are in the cached index.
    pub covered: Vec<Id>,
    /// Those that have to be read.
    pub unread: Vec<Id>,
    /// For each pack of the cached index whether its records there are not to be used.
    pub is_changed: Vec<bool>,
}
