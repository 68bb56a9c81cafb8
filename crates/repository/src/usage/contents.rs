//! The blobs of each pack, without a map of them.

use crate::format::BlobKind;
use crate::index::{Index, IndexedBlob};
use crate::{Error, ErrorKind, Result};

/// For every pack of an index the records that lie in it: four bytes a record and four a pack.
#[derive(Debug)]
pub(crate) struct PackContents {
    /// Where the records of each pack begin in `records`; one more than there are packs.
    starts: Vec<u32>,
    /// Positions among the data records, or (from `data_records` on) among the tree records behind them.
    records: Vec<u32>,
    data_records: usize,
}

impl PackContents {
    /// Groups those records of the index that `wanted` picks by kind, position and number of the pack.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for more than 2^32 records, an index of 200 GB.
    pub fn new(index: &Index, wanted: impl Fn(BlobKind, usize, u32) -> bool) -> Result<Self> {
        let data_records = index.len(BlobKind::Data);
        let all = data_records.saturating_add(index.len(BlobKind::Tree));
        u32::try_from(all).map_err(|_| too_many())?;
        let for_each = |visit: &mut dyn FnMut(usize, usize)| {
            for (kind, base) in [(BlobKind::Data, 0), (BlobKind::Tree, data_records)] {
                for (position, pack) in index.pack_numbers(kind).enumerate() {
                    if wanted(kind, position, pack) {
                        visit(base.saturating_add(position), pack as usize);
                    }
                }
            }
        };
        let mut starts = vec![0_u32; index.packs().len().saturating_add(1)];
        for_each(&mut |_, pack| {
            if let Some(count) = starts.get_mut(pack.saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        });
        let mut sum = 0_u32;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        let mut next = starts.clone();
        let mut records = vec![0_u32; sum as usize];
        for_each(&mut |position, pack| {
            let Some(place) = next.get_mut(pack) else {
                return;
            };
            if let Some(record) = records.get_mut(*place as usize) {
                // Fits: the number of all records does.
                *record = u32::try_from(position).unwrap_or(u32::MAX);
            }
            *place = place.saturating_add(1);
        });
        Ok(Self {
            starts,
            records,
            data_records,
        })
    }

    /// The blobs of a pack (by its number) in the order of their offsets.
    pub fn blobs(&self, index: &Index, pack: usize) -> Vec<IndexedBlob> {
        let begin = self.starts.get(pack).map_or(0, |start| *start as usize);
        let end = self
            .starts
            .get(pack.saturating_add(1))
            .map_or(begin, |start| *start as usize);
        let records = self.records.get(begin..end).unwrap_or_default();
        let mut blobs: Vec<IndexedBlob> = records
            .iter()
            .filter_map(|record| self.blob(index, *record))
            .collect();
        blobs.sort_unstable_by_key(|blob| blob.location.offset);
        blobs
    }

    /// How many blobs of the pack there are.
    pub fn count(&self, pack: usize) -> usize {
        let bound = |at: usize| self.starts.get(at).copied().unwrap_or_default();
        bound(pack.saturating_add(1)).saturating_sub(bound(pack)) as usize
    }

    fn blob(&self, index: &Index, record: u32) -> Option<IndexedBlob> {
        let position = record as usize;
        match position.checked_sub(self.data_records) {
            None => index.at(BlobKind::Data, position),
            Some(position) => index.at(BlobKind::Tree, position),
        }
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the repository has more than 2^32 blobs",
    )
}
