//! A sorted table of blobs of one kind.

use std::num::NonZeroU32;

use rayon::slice::ParallelSliceMut;

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

/// Records sorted by identifier, then by pack and offset; equal records once.
#[derive(Debug, Default)]
pub(super) struct Table {
    records: Vec<Record>,
}

impl Table {
    pub fn new(mut records: Vec<Record>) -> Self {
        records.par_sort_unstable();
        // A pack that two index files describe gives every record twice.
        records.dedup();
        records.shrink_to_fit();
        Self { records }
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// All records of the blob.
    pub fn find(&self, id: &Id) -> &[Record] {
        let Some(first) = self.position(id) else {
            return &[];
        };
        let rest = self.records.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|record| record.id == *id).count();
        rest.get(..count).unwrap_or_default()
    }

    /// Position of the blob's first record.
    pub fn position(&self, id: &Id) -> Option<usize> {
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
        let guess = (u128::from(prefix(id)) * length as u128) >> 64;
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

fn prefix(id: &Id) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(id.as_bytes().split_at(8).0);
    u64::from_be_bytes(bytes)
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
                let found: Vec<u32> = table.find(&id(*seed)).iter().map(|record| record.pack).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
