//! A sorted table of blobs of one kind.

use std::num::NonZeroU32;

use super::cached::StoredTable;
use super::sort::sort;
use crate::format::Id;

/// Where a blob lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The pack.
    pub pack: Id,
    /// First byte in the pack.
    pub offset: u32,
    /// Bytes in the pack, with 32 bytes of encryption overhead.
    pub length: u32,
    /// Bytes after decompression; `None` if the blob is not compressed.
    pub uncompressed_length: Option<NonZeroU32>,
}

impl Location {
    /// Bytes of the blob's content.
    pub fn plain_length(&self) -> u32 {
        match self.uncompressed_length {
            Some(length) => length.get(),
            None => self.length.saturating_sub(crate::crypto::OVERHEAD as u32),
        }
    }
}

/// A blob in a table. `uncompressed_length` is zero where the blob is not compressed (an empty blob is never stored).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub id: Id,
    pub pack: u32,
    pub offset: u32,
    pub length: u32,
    pub uncompressed_length: u32,
}

const _: () = assert!(size_of::<Record>() == 48);

impl Record {
    /// Bytes of a record in a file.
    pub const LENGTH: usize = 48;

    /// A place for a record.
    pub const NONE: Self = Self {
        id: Id::from_bytes([0; 32]),
        pack: 0,
        offset: 0,
        length: 0,
        uncompressed_length: 0,
    };

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let (id, numbers) = bytes.split_at_mut(Id::LENGTH);
        id.copy_from_slice(self.id.as_bytes());
        let fields = [
            self.pack,
            self.offset,
            self.length,
            self.uncompressed_length,
        ];
        for (bytes, field) in numbers.chunks_mut(4).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let (mut id, mut fields) = ([0; 32], [0; 4]);
        let (front, numbers) = bytes.split_at(Id::LENGTH);
        id.copy_from_slice(front);
        for (field, bytes) in fields.iter_mut().zip(numbers.as_chunks::<4>().0) {
            *field = u32::from_le_bytes(*bytes);
        }
        let [pack, offset, length, uncompressed_length] = fields;
        Self {
            id: Id::from_bytes(id),
            pack,
            offset,
            length,
            uncompressed_length,
        }
    }
}

/// Records sorted by identifier, then by pack and offset, equal ones once. Those of the cache, where there are any, come
/// first, and those that are in memory after them, each sorted by itself.
#[derive(Debug, Default)]
pub(super) struct Table {
    stored: Option<StoredTable>,
    records: Vec<Record>,
}

impl Table {
    /// A table in memory.
    pub fn new(records: Vec<Record>) -> Self {
        Self::merged(Vec::new(), records)
    }

    /// A table in memory of records that are sorted and others.
    pub fn merged(mut sorted: Vec<Record>, mut others: Vec<Record>) -> Self {
        sort(&mut others);
        if sorted.is_empty() {
            sorted = others;
        } else {
            merge(&mut sorted, &others);
        }
        // A pack that two index files describe gives every record twice.
        sorted.dedup();
        sorted.shrink_to_fit();
        Self {
            stored: None,
            records: sorted,
        }
    }

    /// A table in the cache, and beside it records of other packs.
    pub fn beside(stored: StoredTable, records: Vec<Record>) -> Self {
        Self {
            stored: Some(stored),
            ..Self::new(records)
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.stored_length().saturating_add(self.records.len())
    }

    fn stored_length(&self) -> usize {
        self.stored.as_ref().map_or(0, StoredTable::len)
    }

    /// The part in the cache, if there is one.
    pub fn stored(&self) -> Option<&StoredTable> {
        self.stored.as_ref()
    }

    /// The records in memory: all of them, unless some are in the cache.
    pub fn in_memory(&self) -> &[Record] {
        &self.records
    }

    /// The same as a vector.
    pub fn into_memory(self) -> Vec<Record> {
        self.records
    }

    /// The record at a position.
    pub fn get(&self, position: usize) -> Option<&Record> {
        match (position.checked_sub(self.stored_length()), &self.stored) {
            (None, Some(stored)) => stored.get(position),
            (position, _) => self.records.get(position?),
        }
    }

    /// All records in the order of their positions.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        let stored = self.stored.iter().flat_map(StoredTable::iter);
        stored.chain(&self.records)
    }

    /// All records of a blob, with their positions.
    pub fn find(&self, id: &Id) -> impl Iterator<Item = (usize, &Record)> {
        let id = *id;
        let (border, end) = (self.stored_length(), self.len());
        let in_cache = self.stored.as_ref().and_then(|stored| stored.position(&id));
        let in_memory = self.position_in_memory(&id).map(|at| at + border);
        let runs = [
            in_cache.map(|first| first..border),
            in_memory.map(|first| first..end),
        ];
        runs.into_iter().flatten().flat_map(move |positions| {
            let records = positions.map_while(|at| Some((at, self.get(at)?)));
            records.take_while(move |(_, record)| record.id == id)
        })
    }

    /// Position of the blob's first record.
    pub fn position(&self, id: &Id) -> Option<usize> {
        let in_cache = self.stored.as_ref().and_then(|stored| stored.position(id));
        in_cache.or_else(|| Some(self.position_in_memory(id)? + self.stored_length()))
    }

    fn position_in_memory(&self, id: &Id) -> Option<usize> {
        if self.records.is_empty() {
            return None;
        }
        let (mut low, mut high) = self.window(id);
        // The interpolated window holds the position; what remains is a binary search of a few records.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.records.get(middle)?.id < *id {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (self.records.get(low)?.id == *id).then_some(low)
    }

    /// A range `low..=high` that holds the first position whose identifier is not below `id`.
    ///
    /// Starts where an even distribution would put the identifier and doubles the step until it is enclosed, so
    /// hostile (uneven) identifiers cost a logarithm and no more.
    fn window(&self, id: &Id) -> (usize, usize) {
        let length = self.records.len();
        let guess = (u128::from(id.prefix()) * length as u128) >> 64;
        let guess = usize::try_from(guess).unwrap_or(0).min(length);
        let below = |position: usize| {
            self.records
                .get(position)
                .is_some_and(|record| record.id < *id)
        };
        let mut step = 8;
        if below(guess) {
            let mut low = guess;
            loop {
                let high = low.saturating_add(step).min(length);
                if high == length || !below(high) {
                    return (low, high);
                }
                low = high;
                step *= 2;
            }
        }
        let mut high = guess;
        loop {
            let low = high.saturating_sub(step);
            if low == 0 || below(low) {
                return (low, high);
            }
            high = low;
            step *= 2;
        }
    }
}

/// Merges sorted records into sorted records, from the back, so that nothing is moved twice.
fn merge(sorted: &mut Vec<Record>, others: &[Record]) {
    let mut left = sorted.len();
    sorted.extend_from_slice(others);
    let mut free = sorted.len();
    let mut others = others.iter().rev().peekable();
    while let Some(other) = others.peek() {
        free -= 1;
        match left.checked_sub(1).and_then(|last| sorted.get(last)) {
            Some(record) if record > *other => {
                let record = *record;
                left -= 1;
                sorted[free] = record;
            }
            _ => {
                sorted[free] = **other;
                others.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{Record, Table};
    use crate::format::Id;

    fn record(id: Id, pack: u32) -> Record {
        Record {
            id,
            pack,
            offset: pack,
            length: 33,
            uncompressed_length: 0,
        }
    }

    /// Identifiers that collide in their first bytes as well as evenly distributed ones.
    fn id(seed: u16) -> Id {
        match seed % 3 {
            0 => Id::of(&seed.to_le_bytes()),
            1 => {
                let mut bytes = [0; 32];
                bytes[30..].copy_from_slice(&seed.to_be_bytes());
                Id::from_bytes(bytes)
            }
            _ => {
                let mut bytes = [0xff; 32];
                bytes[7..9].copy_from_slice(&seed.to_be_bytes());
                Id::from_bytes(bytes)
            }
        }
    }

    proptest! {
        /// If the table lost or invented an entry, a backup would skip data that is not stored, or a restore miss it.
        #[test]
        fn t09_table_agrees_with_a_map(stored in prop::collection::vec((any::<u16>(), 0_u32..4), 0..400), asked in prop::collection::vec(any::<u16>(), 0..100)) {
            let mut map: HashMap<Id, Vec<u32>> = HashMap::new();
            for (seed, pack) in &stored {
                let packs = map.entry(id(*seed)).or_default();
                if !packs.contains(pack) { packs.push(*pack); }
            }
            let table = Table::new(stored.iter().map(|(seed, pack)| record(id(*seed), *pack)).collect());
            for seed in asked.iter().chain(stored.iter().map(|(seed, _)| seed)) {
                let mut expected = map.get(&id(*seed)).cloned().unwrap_or_default();
                expected.sort_unstable();
                let found: Vec<u32> = table.find(&id(*seed)).map(|(_, record)| record.pack).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
