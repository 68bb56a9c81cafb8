//! Reading many trees at once.
//!
//! Trees are small, many, and lie side by side in few packs. So those that are wanted at the same time are read in one go where
//! they are near each other, and decoded in one job: a call and a change of thread for each would take longer than they do.

use strongroom_storage::ByteRange;

use super::{BlobMemory, Repository, StoredBlob, decode_tree};
use crate::Result;
use crate::format::{BlobKind, Id, Tree};
use crate::index::{Index, Location};

/// Bytes between two trees that are read with them rather than asking twice.
const GAP_BYTES: u64 = 64 << 10;

/// A read ends when it has come to this many bytes.
const READ_BYTES: u64 = 1 << 20;

/// Trees that are worth reading at once, and bytes of their JSON.
const TREES_AT_ONCE: usize = 64;
const PLAIN_BYTES_AT_ONCE: u64 = 2 << 20;

/// Trees that are read in one go: their numbers among those wanted, and where each lies.
struct Stretch {
    pack: Id,
    range: ByteRange,
    trees: Vec<(usize, Id, Location)>,
}

impl Stretch {
    fn of(number: usize, id: Id, location: Location) -> Self {
        Self {
            pack: location.pack,
            range: ByteRange {
                offset: location.offset.into(),
                length: location.length.into(),
            },
            trees: vec![(number, id, location)],
        }
    }

    /// Takes a tree that begins where the last one does or behind; whether it is near enough.
    fn takes(&mut self, number: usize, id: Id, location: Location) -> bool {
        let begin = u64::from(location.offset);
        let end = begin.saturating_add(location.length.into());
        let so_far = self.range.offset.saturating_add(self.range.length);
        let length = so_far.max(end).saturating_sub(self.range.offset);
        let fits = self.pack == location.pack
            && begin.saturating_sub(so_far) <= GAP_BYTES
            && length <= READ_BYTES;
        if fits {
            self.range.length = length;
            self.trees.push((number, id, location));
        }
        fits
    }
}

impl Repository {
    /// How many of these trees, from the first on, [`Repository::load_trees`] should be given at once, so that `jobs` of its
    /// callers have something to do each and memory stays bounded; at least one.
    pub(crate) fn trees_at_once<'a>(
        index: &Index,
        trees: impl ExactSizeIterator<Item = &'a Id>,
        jobs: usize,
    ) -> usize {
        let fair = trees.len().div_ceil(jobs.max(1)).min(TREES_AT_ONCE);
        let mut bytes: u64 = 0;
        let fits = trees.take(fair).take_while(|id| {
            let location = index.locate(BlobKind::Tree, id);
            let plain = location.map_or(0, |location| location.plain_length());
            bytes = bytes.saturating_add(plain.into());
            bytes <= PLAIN_BYTES_AT_ONCE
        });
        fits.count().max(1)
    }

    /// The trees with these identifiers, in their order; each as [`Repository::load_tree`] gives it.
    pub(crate) async fn load_trees(&self, index: &Index, ids: &[Id]) -> Vec<Result<Tree>> {
        let mut trees: Vec<Option<Tree>> = ids.iter().map(|_| None).collect();
        if ids.len() > 1 {
            for stretch in stretches(index, ids) {
                for (number, tree) in self.load_stretch(stretch).await {
                    if let Some(place) = trees.get_mut(number) {
                        *place = Some(tree);
                    }
                }
            }
        }
        let mut loaded = Vec::with_capacity(ids.len());
        for (id, tree) in ids.iter().zip(trees) {
            loaded.push(match tree {
                Some(tree) => Ok(tree),
                // Alone, or not as it should be: another copy may be whole, and else this says what is wrong.
                None => self.load_tree(index, id).await,
            });
        }
        loaded
    }

    /// Those that are whole.
    async fn load_stretch(&self, stretch: Stretch) -> Vec<(usize, Tree)> {
        let Stretch { pack, range, trees } = stretch;
        let read = self.load_pack_range(BlobKind::Tree, &pack, Some(range));
        let Ok(read) = read.await else {
            return Vec::new();
        };
        let this = self.clone();
        let decode = move || {
            let stored: Vec<StoredBlob<'_>> = trees
                .iter()
                .map(|(_, id, location)| {
                    let offset = u64::from(location.offset).saturating_sub(range.offset);
                    let begin = usize::try_from(offset).unwrap_or(usize::MAX);
                    let end = begin.saturating_add(location.length as usize);
                    StoredBlob {
                        id: *id,
                        location: *location,
                        stored: read.get(begin..end).unwrap_or_default(),
                    }
                })
                .collect();
            let mut whole = Vec::with_capacity(trees.len());
            this.decode_blobs(&mut BlobMemory::default(), &stored, |position, content| {
                if let (Some((number, id, _)), Ok(content)) = (trees.get(position), content)
                    && let Ok(tree) = decode_tree(id, content)
                {
                    whole.push((*number, tree));
                }
            });
            whole
        };
        self.workers().run(decode).await.unwrap_or_default()
    }
}

/// What to read for these trees. Those that no index names are in none.
fn stretches(index: &Index, ids: &[Id]) -> Vec<Stretch> {
    let mut places: Vec<(usize, Id, Location)> = (0..)
        .zip(ids)
        .filter_map(|(number, id)| Some((number, *id, index.locate(BlobKind::Tree, id)?)))
        .collect();
    places.sort_unstable_by_key(|(_, _, location)| (location.pack, location.offset));
    let mut stretches: Vec<Stretch> = Vec::new();
    for (number, id, location) in places {
        let taken = stretches
            .last_mut()
            .is_some_and(|last| last.takes(number, id, location));
        if !taken {
            stretches.push(Stretch::of(number, id, location));
        }
    }
    stretches
}
