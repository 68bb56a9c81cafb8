//! A sorted table whose records are read from the cache when they are needed.

use std::sync::{Arc, OnceLock};

use super::BLOCK_RECORDS;
use super::header::Blocks;
use super::rescue::Rescue;
use crate::format::{BlobKind, Id};
use crate::index::table::Record;

/// The records of one kind in a cached index. A block that was read stays in memory.
#[derive(Debug)]
pub(in crate::index) struct StoredTable {
    source: Arc<Rescue>,
    kind: BlobKind,
    blocks: Box<[OnceLock<Box<[Record]>>]>,
}

impl StoredTable {
    pub fn new(source: Arc<Rescue>, kind: BlobKind) -> Self {
        let count = source.cached.header.blocks(kind).firsts.len();
        Self {
            source,
            kind,
            blocks: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    fn header(&self) -> &Blocks {
        self.source.cached.header.blocks(self.kind)
    }

    /// For each pack of the cached index where its last record ends, of both kinds.
    pub fn pack_ends(&self) -> &[u32] {
        &self.source.cached.header.pack_ends
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.header().records
    }

    /// The record at a position.
    pub fn get(&self, position: usize) -> Option<&Record> {
        let block = self.block(position / BLOCK_RECORDS);
        block.get(position % BLOCK_RECORDS)
    }

    /// Position of the first record of a blob.
    pub fn position(&self, id: &Id) -> Option<usize> {
        // The first block that begins behind the identifier's prefix: the blob begins in one before it, and where many
        // share the prefix, maybe long before.
        let firsts = &self.header().firsts;
        let end = firsts.partition_point(|first| *first <= id.prefix());
        let begin = firsts.partition_point(|first| *first < id.prefix());
        for block in begin.saturating_sub(1)..end {
            let records = self.block(block);
            let at = records.partition_point(|record| record.id < *id);
            match records.get(at) {
                Some(record) if record.id == *id => return Some(block * BLOCK_RECORDS + at),
                Some(_) => return None,
                None => {}
            }
        }
        None
    }

    /// All records in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        (0..self.blocks.len()).flat_map(|block| self.block(block))
    }

    fn block(&self, block: usize) -> &[Record] {
        let read = || {
            let found = self.source.cached.block(self.kind, block);
            found.unwrap_or_else(|| self.source.block(self.kind, block))
        };
        self.blocks
            .get(block)
            .map_or(&[], |slot| slot.get_or_init(read))
    }
}
