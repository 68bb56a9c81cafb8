//! The content of a file as a row of blobs.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use strongroom_repository::format::{BlobKind, Id, Node};
use strongroom_repository::index::Index;

/// Whoever goes on within so many bytes of where the last read ended reads in order; the kernel may ask for two pieces of
/// its read-ahead in either order.
const IN_ORDER_BYTES: u64 = 1024 * 1024;

/// A file that is open.
pub struct OpenFile {
    blobs: Vec<Id>,
    /// Where each blob ends in the file. Read by binary search: 100 000 blobs are 17 steps.
    ends: Vec<u64>,
    /// Where the last read ended; 0 before the first.
    position: AtomicU64,
    /// Up to here blobs were asked for before they were needed.
    ahead: AtomicU64,
}

/// A blob of which a part was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub blob: Id,
    /// What of the blob.
    pub range: Range<usize>,
}

impl OpenFile {
    /// # Errors
    /// What is wrong: a blob is in no index, or they are not as long as the file.
    pub fn new(node: &Node, index: &Index) -> Result<Self, String> {
        let blobs = node.content.clone().unwrap_or_default();
        let mut ends = Vec::with_capacity(blobs.len());
        let mut end = 0_u64;
        for id in &blobs {
            let place = index.locate(BlobKind::Data, id);
            let place = place.ok_or_else(|| format!("data blob {id} is in no index"))?;
            end = end.saturating_add(u64::from(place.plain_length()));
            ends.push(end);
        }
        if end != node.size_bytes {
            let size = node.size_bytes;
            return Err(format!(
                "its content has {end} bytes where {size} are written down"
            ));
        }
        Ok(Self {
            blobs,
            ends,
            position: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
        })
    }

    /// What a range consists of; less than was asked for at the end of the file.
    pub fn pieces(&self, offset: u64, length: u64) -> Vec<Piece> {
        let end = offset.saturating_add(length);
        let first = self.ends.partition_point(|blob_end| *blob_end <= offset);
        let mut start = first
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied();
        let mut pieces = Vec::new();
        for (blob, blob_end) in self.blobs.iter().zip(&self.ends).skip(first) {
            let blob_start = start.unwrap_or(0);
            if blob_start >= end {
                break;
            }
            let within = |at: u64| usize::try_from(at.clamp(blob_start, *blob_end) - blob_start);
            if let (Ok(from), Ok(to)) = (within(offset), within(end)) {
                pieces.push(Piece {
                    blob: *blob,
                    range: from..to,
                });
            }
            start = Some(*blob_end);
        }
        pieces
    }

    /// Notes a read; the blobs that whoever reads in order will need next, each once.
    pub fn next(&self, offset: u64, length: u64, ahead_bytes: u64) -> Vec<Id> {
        let end = offset.saturating_add(length);
        let before = self.position.swap(end, Ordering::Relaxed);
        if before == 0 || before.abs_diff(offset) > IN_ORDER_BYTES {
            // Somewhere else: what was asked for ahead of the old place says nothing of this one.
            self.ahead.store(end, Ordering::Relaxed);
            return Vec::new();
        }
        let until = end.saturating_add(ahead_bytes);
        let from = self.ahead.fetch_max(until, Ordering::Relaxed).max(end);
        let blobs = self.blobs.iter().zip(&self.ends);
        // Those that begin in between: the one before ends at `from` or later and before `until`.
        let first = self.ends.partition_point(|blob_end| *blob_end < from);
        let last = self.ends.partition_point(|blob_end| *blob_end < until);
        blobs
            .map(|(id, _)| *id)
            .skip(first + 1)
            .take(last.saturating_sub(first))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::{OpenFile, Piece};
    use strongroom_repository::format::Id;

    fn blob(number: u8) -> Id {
        Id::of(&[number])
    }

    /// Blobs of these lengths.
    fn file(lengths: &[u64]) -> OpenFile {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        OpenFile {
            blobs: (0..).map(blob).take(lengths.len()).collect(),
            ends: ends.collect(),
            position: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
        }
    }

    #[test]
    fn a_range_is_cut_out_of_its_blobs() {
        let file = file(&[10, 0, 5, 20]);
        let piece = |number, range| Piece {
            blob: blob(number),
            range,
        };
        for (offset, length, expected) in [
            (0, 10, vec![piece(0, 0..10)]),
            (9, 2, vec![piece(0, 9..10), piece(1, 0..0), piece(2, 0..1)]),
            (10, 5, vec![piece(2, 0..5)]),
            (14, 2, vec![piece(2, 4..5), piece(3, 0..1)]),
            (34, 100, vec![piece(3, 19..20)]),
            (35, 1, vec![]),
            (u64::MAX, u64::MAX, vec![]),
        ] {
            assert_eq!(file.pieces(offset, length), expected, "{offset}+{length}");
        }
        assert_eq!(self::file(&[]).pieces(0, 100), []);
    }

    /// Reading ahead of who jumps about would fetch the whole file for nothing.
    #[test]
    fn only_who_reads_in_order_is_read_ahead_of() {
        const MIB: u64 = 1 << 20;
        let file = file(&[MIB; 100]);
        assert_eq!(file.next(0, 4096, 4 * MIB), []);
        let ahead: Vec<Id> = (1..=4).map(blob).collect();
        assert_eq!(file.next(4096, 4096, 4 * MIB), ahead);
        assert_eq!(file.next(8192, 4096, 4 * MIB), []);
        assert_eq!(file.next(MIB, 4096, 4 * MIB), [blob(5)]);
        assert_eq!(file.next(50 * MIB, 4096, 4 * MIB), []);
        assert_eq!(file.next(90 * MIB, 4096, 4 * MIB), []);
        assert_eq!(file.next(20 * MIB, 4096, 4 * MIB), []);
        assert_eq!(file.next(99 * MIB, MIB, 4 * MIB), []);
        assert_eq!(file.next(100 * MIB, MIB, 4 * MIB), []);
    }
}
