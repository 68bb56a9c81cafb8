//! Reading the trees of the parent snapshot.
//!
//! They are small, many, and lie side by side in few packs. So where a pack is asked for a third time the trees around the
//! one that is wanted come with it: a thousand directories cost a few reads, and a parent whose trees lie scattered over
//! many packs costs no more than its trees.

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

use bytes::Bytes;
use strongroom_storage::ByteRange;
use tokio::runtime::Handle as Runtime;

use crate::Result;
use crate::format::{BlobKind, Id, Node};
use crate::index::{Index, Location};
use crate::repository::Repository;

/// Bytes of a stretch of a pack that is read at once: some hundred trees.
const STRETCH_BYTES: u64 = 1 << 20;

/// Stretches that are kept.
const STRETCHES_MAX: usize = 6;

/// Trees of a pack that are read by themselves before stretches are.
const SINGLES: u32 = 2;

/// What was read of the packs that hold the parent's trees.
#[derive(Default)]
pub(super) struct ParentTrees {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: HashMap<Id, u32>,
    /// Where the last tree of each pack ends; made when it is first needed.
    ends: Option<HashMap<Id, u64>>,
    stretches: VecDeque<Stretch>,
}

struct Stretch {
    pack: Id,
    offset: u64,
    bytes: Bytes,
}

impl Stretch {
    fn blob(&self, location: &Location) -> Option<Bytes> {
        let offset = u64::from(location.offset).checked_sub(self.offset)?;
        let begin = usize::try_from(offset).ok()?;
        let end = begin.checked_add(usize::try_from(location.length).ok()?)?;
        let is_here = self.pack == location.pack && end <= self.bytes.len();
        is_here.then(|| self.bytes.slice(begin..end))
    }
}

impl ParentTrees {
    /// A tree as it is stored. Called on a thread that may block.
    pub fn load(
        &self,
        repository: &Repository,
        index: &Index,
        location: &Location,
        runtime: &Runtime,
    ) -> Result<Bytes> {
        let range = {
            let mut state = self.lock();
            if let Some(blob) = state.blob(location) {
                return Ok(blob);
            }
            state.stretch_around(index, location)
        };
        // A pack that is cut off has no whole stretch, and may have the tree.
        let stretch = range.and_then(|range| {
            let read = repository.load_pack_range(BlobKind::Tree, &location.pack, Some(range));
            let stretch = Stretch {
                pack: location.pack,
                offset: range.offset,
                bytes: runtime.block_on(read).ok()?,
            };
            let blob = stretch.blob(location)?;
            self.lock().keep(stretch);
            Some(blob)
        });
        match stretch {
            Some(blob) => Ok(blob),
            None => runtime.block_on(repository.load_blob_raw(BlobKind::Tree, location)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn blob(&self, location: &Location) -> Option<Bytes> {
        let mut stretches = self.stretches.iter();
        stretches.find_map(|stretch| stretch.blob(location))
    }

    fn keep(&mut self, stretch: Stretch) {
        if self.stretches.len() >= STRETCHES_MAX {
            self.stretches.pop_front();
        }
        self.stretches.push_back(stretch);
    }

    /// What to read so as to get a tree and its neighbours; `None` if it should be read alone.
    fn stretch_around(&mut self, index: &Index, location: &Location) -> Option<ByteRange> {
        let asked = self.asked.entry(location.pack).or_default();
        *asked = asked.saturating_add(1);
        if *asked <= SINGLES {
            return None;
        }
        let ends = self.ends.get_or_insert_with(|| ends(index));
        let blob = u64::from(location.offset);
        let offset = blob - blob % STRETCH_BYTES;
        let blob_end = blob.checked_add(u64::from(location.length))?;
        let end = ends
            .get(&location.pack)?
            .min(&offset.checked_add(STRETCH_BYTES)?.max(blob_end))
            .to_owned();
        Some(ByteRange {
            offset,
            length: end.checked_sub(offset)?,
        })
    }
}

fn ends(index: &Index) -> HashMap<Id, u64> {
    let mut ends: HashMap<Id, u64> = HashMap::new();
    for blob in index.blobs(BlobKind::Tree) {
        let end = u64::from(blob.location.offset).saturating_add(blob.location.length.into());
        let last = ends.entry(blob.location.pack).or_default();
        *last = end.max(*last);
    }
    ends
}

/// The entries that a directory had in the parent, looked up in the order of their names.
pub(super) struct Previous {
    nodes: Peekable<IntoIter<Node>>,
}

impl Previous {
    /// The entries of a tree; none if it is not to be had.
    pub fn new(nodes: Option<Vec<Node>>) -> Self {
        let mut nodes = nodes.unwrap_or_default();
        // As they are in the tree, unless another program wrote it.
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            nodes: nodes.into_iter().peekable(),
        }
    }

    /// The entry of a name. Names have to come in the order of their bytes, each once.
    pub fn find(&mut self, name: &[u8]) -> Option<Node> {
        while self
            .nodes
            .next_if(|node| node.name.as_slice() < name)
            .is_some()
        {}
        self.nodes.next_if(|node| node.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Mode, NodeKind};

    /// What is not found is read and compared anew; what is found wrongly would take over another file's content.
    #[test]
    fn entries_are_found_by_their_names_in_whatever_order_the_tree_has_them() {
        let node = |name: &str| Node::new(name, NodeKind::File, Mode::default());
        let nodes = ["d", "a", "bb", "b", "d"].map(node);
        let mut previous = Previous::new(Some(nodes.to_vec()));
        for (name, is_there) in [("", false), ("a", true), ("aa", false), ("bb", true)] {
            let found = previous.find(name.as_bytes()).map(|node| node.name);
            assert_eq!(found, is_there.then(|| name.as_bytes().to_vec()), "{name}");
        }
        for (name, is_there) in [("c", false), ("d", true), ("e", false)] {
            assert_eq!(previous.find(name.as_bytes()).is_some(), is_there, "{name}");
        }
        assert!(Previous::new(None).find(b"a").is_none());
    }
}
