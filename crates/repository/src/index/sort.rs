//! Sorting records by identifier, on all cores and in place.
//!
//! Identifiers are hashes, so their first byte cuts the records into 256 parts of about the same size: each is brought
//! to its place by swapping, then the parts are sorted side by side. Hostile identifiers that all begin alike
//! make one large part, which costs time and no more.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::table::Record;

const PARTS: usize = 256;

/// Fewer records than this are sorted as they are.
const FEW: usize = 1 << 14;

/// Sorts by identifier, then by pack and place.
pub(super) fn sort(records: &mut [Record]) {
    if records.len() < FEW {
        sort_part(records);
        return;
    }
    let ends = cut_into_parts(records);
    let mut parts = Vec::with_capacity(PARTS);
    let mut rest = records;
    let mut begin = 0;
    for end in ends {
        let (part, behind) = rest.split_at_mut(end - begin);
        parts.push(part);
        (rest, begin) = (behind, end);
    }
    parts.into_par_iter().for_each(sort_part);
}

fn sort_part(records: &mut [Record]) {
    // One comparison of numbers decides nearly always.
    records.sort_unstable_by(|a, b| a.id.prefix().cmp(&b.id.prefix()).then_with(|| a.cmp(b)));
}

fn part_of(record: &Record) -> usize {
    let [first, ..] = record.id.as_bytes();
    usize::from(*first)
}

/// Brings every record into its part; returns where the parts end.
fn cut_into_parts(records: &mut [Record]) -> [usize; PARTS] {
    let mut ends = [0; PARTS];
    for record in &*records {
        ends[part_of(record)] += 1;
    }
    let mut next = [0; PARTS];
    let mut sum = 0;
    for (end, next) in ends.iter_mut().zip(&mut next) {
        *next = sum;
        sum += *end;
        *end = sum;
    }
    for part in 0..PARTS {
        while next[part] < ends[part] {
            let at = next[part];
            let home = part_of(&records[at]);
            // A record of another part goes to that part's next free place, whose record is looked at then.
            if home != part {
                records.swap(at, next[home]);
            }
            next[home] += 1;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Id;

    fn records(count: u32, id: impl Fn(u32) -> Id) -> Vec<Record> {
        let record = |number: u32| Record {
            id: id(number / 3),
            pack: number.wrapping_mul(7) % 5,
            offset: number % 2,
            length: 32,
            uncompressed_length: 0,
        };
        (0..count).map(record).collect()
    }

    /// A table that is not sorted would answer that stored blobs are not there.
    #[test]
    fn t09_what_is_sorted_in_parts_is_sorted() {
        let same_start = |number: u32| {
            let mut bytes = [7; 32];
            bytes[20..24].copy_from_slice(&number.to_be_bytes());
            Id::from_bytes(bytes)
        };
        for count in [0, 1, 100, 70_000] {
            for mut sorted in [
                records(count, |number| Id::of(&number.to_le_bytes())),
                records(count, |number| same_start(number.wrapping_mul(0x9e37_79b9))),
                records(count, |_| Id::from_bytes([255; 32])),
            ] {
                let mut expected = sorted.clone();
                expected.sort();
                sort(&mut sorted);
                assert!(sorted == expected, "{count}");
            }
        }
    }
}
