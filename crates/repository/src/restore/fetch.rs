//! Which blobs are read from which packs, and into which files each goes.

use std::collections::HashMap;
use std::ops::Range;

use crate::format::Id;
use crate::index::{Index, Location};
use crate::restore::plan::{PlannedEntry, Step, pieces};

/// Two blobs with a gap of up to this size between them are read in one go: it costs less than another request.
const GAP_BYTES: u64 = 128 * 1024;
/// A range grows up to this size; a single larger blob is read whole.
const RANGE_BYTES: u64 = 4 * 1024 * 1024;

/// A blob that is needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub id: Id,
    pub location: Location,
    /// First of its uses; they end where those of the next blob begin.
    uses: usize,
}

/// A place that a blob goes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    /// Number of the entry in the plan.
    pub entry: usize,
    /// Offset in the file.
    pub offset: u64,
}

/// All blobs of a restore.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    /// By pack, in the order in which the files first need them, and by offset in each pack.
    blobs: Vec<Wanted>,
    uses: Vec<Use>,
}

/// A range of a pack that is read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackRange {
    pub pack: Id,
    pub start: u64,
    pub length: u64,
    /// Bytes of the blobs in it once they are decoded.
    pub plain_bytes: u64,
    /// The blobs in it.
    pub blobs: Range<usize>,
}

impl Fetch {
    /// What the entries need, each blob from where `choose` says; a blob that it has no place for is left out.
    pub(super) fn gather(
        index: &Index,
        entries: &[PlannedEntry],
        choose: impl Fn(&Id) -> Option<Location>,
    ) -> Self {
        let mut numbers: HashMap<Id, Option<usize>> = HashMap::new();
        let mut places: Vec<(Id, Location)> = Vec::new();
        let mut uses: Vec<(usize, Use)> = Vec::new();
        let mut ranks: HashMap<Id, usize> = HashMap::new();
        for (entry, planned) in entries.iter().enumerate() {
            for (id, offset) in needed(index, planned) {
                let number = *numbers.entry(id).or_insert_with(|| {
                    let location = choose(&id)?;
                    let rank = ranks.len();
                    ranks.entry(location.pack).or_insert(rank);
                    places.push((id, location));
                    Some(places.len() - 1)
                });
                if let Some(number) = number {
                    uses.push((number, Use { entry, offset }));
                }
            }
        }
        drop(numbers);
        // By pack and offset, and from there on by the place in that order: no look-up a comparison.
        let mut order: Vec<(Option<usize>, u32, usize)> = (0..)
            .zip(&places)
            .map(|(number, (_, at))| (ranks.get(&at.pack).copied(), at.offset, number))
            .collect();
        order.sort_unstable();
        let mut rank_of = vec![0; places.len()];
        for (rank, (_, _, number)) in order.iter().enumerate() {
            if let Some(place) = rank_of.get_mut(*number) {
                *place = rank;
            }
        }
        uses.sort_by_key(|(number, _)| rank_of.get(*number).copied());
        let mut blobs: Vec<Wanted> = Vec::with_capacity(places.len());
        let mut last = None;
        for (position, (number, _)) in uses.iter().enumerate() {
            if last != Some(*number) {
                last = Some(*number);
                if let Some(&(id, location)) = places.get(*number) {
                    blobs.push(Wanted {
                        id,
                        location,
                        uses: position,
                    });
                }
            }
        }
        Self {
            blobs,
            uses: uses.into_iter().map(|(_, one)| one).collect(),
        }
    }

    pub(super) fn blob(&self, number: usize) -> Option<&Wanted> {
        self.blobs.get(number)
    }

    /// Where a blob goes.
    pub(super) fn uses(&self, number: usize) -> &[Use] {
        let start = self
            .blobs
            .get(number)
            .map_or(self.uses.len(), |blob| blob.uses);
        let end = self
            .blobs
            .get(number + 1)
            .map_or(self.uses.len(), |blob| blob.uses);
        self.uses.get(start..end).unwrap_or_default()
    }

    /// How many times each entry is written to.
    pub(super) fn writes(&self, entries: usize) -> Vec<usize> {
        let mut writes = vec![0; entries];
        for one in &self.uses {
            if let Some(count) = writes.get_mut(one.entry) {
                *count += 1;
            }
        }
        writes
    }

    /// The ranges that are read, in order; every blob is in one of them.
    pub(super) fn ranges(&self) -> Vec<PackRange> {
        let mut ranges: Vec<PackRange> = Vec::new();
        for (number, blob) in self.blobs.iter().enumerate() {
            let start = u64::from(blob.location.offset);
            let end = start + u64::from(blob.location.length);
            let plain = u64::from(blob.location.plain_length());
            match ranges.last_mut() {
                Some(range) if range.takes(blob, start, end) => {
                    range.length = end.max(range.start + range.length) - range.start;
                    range.plain_bytes += plain;
                    range.blobs.end = number + 1;
                }
                _ => ranges.push(PackRange {
                    pack: blob.location.pack,
                    start,
                    length: end - start,
                    plain_bytes: plain,
                    blobs: number..number + 1,
                }),
            }
        }
        ranges
    }
}

impl PackRange {
    fn takes(&self, blob: &Wanted, start: u64, end: u64) -> bool {
        self.pack == blob.location.pack
            && start <= (self.start + self.length).saturating_add(GAP_BYTES)
            && end.saturating_sub(self.start) <= RANGE_BYTES
            && self.plain_bytes <= 4 * RANGE_BYTES
    }
}

/// The blobs that an entry needs from the repository, with their offsets in the file.
pub(super) fn needed<'a>(
    index: &'a Index,
    entry: &'a PlannedEntry,
) -> impl Iterator<Item = (Id, u64)> + 'a {
    let file = match &entry.step {
        Step::WriteFile(file) => Some(file),
        _ => None,
    };
    file.into_iter().flat_map(move |file| {
        pieces(index, &entry.node)
            .enumerate()
            .filter(|(number, _)| !file.reuses(*number))
            .map(|(_, (id, offset, _))| (id, offset))
    })
}
