//! One directory of a snapshot, read and sorted.

use std::mem::size_of;

use strongroom_repository::format::{Id, Node, NodeKind, Tree};
use strongroom_repository::walk::checked_entries;
use strongroom_repository::{Error, Result};

/// The entries of a tree that can be shown, in the order of their names.
pub struct Directory {
    pub nodes: Vec<Node>,
    /// What is wrong with the others: name and reason.
    pub faults: Vec<(Vec<u8>, String)>,
}

impl Directory {
    /// Decodes a tree. Keeps a core busy: call it on a worker.
    ///
    /// # Errors
    /// [`strongroom_repository::ErrorKind::Damaged`] if the blob is no tree.
    pub fn decode(blob: &[u8], id: Id) -> Result<Self> {
        let wrong = |error| Error::damaged(format!("tree {}: {error}", id.short()));
        let tree = Tree::decode(blob).map_err(wrong)?;
        let (entries, damages) = checked_entries(tree, id, b"");
        let mut faults: Vec<_> = damages
            .into_iter()
            .map(|damage| (damage.path, damage.error.to_string()))
            .collect();
        let mut nodes = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.node.kind {
                NodeKind::Other(kind) => {
                    faults.push((entry.path, format!("cannot be shown: it is a {kind:?}")));
                }
                _ => nodes.push(entry.node),
            }
        }
        Ok(Self { nodes, faults })
    }

    /// The position of a name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let order = |node: &Node| node.name.as_slice().cmp(name);
        self.nodes.binary_search_by(order).ok()
    }

    /// About what it takes in memory.
    pub fn bytes(&self) -> u64 {
        let node = |node: &Node| {
            let content = node.content.as_ref().map_or(0, Vec::len);
            let attributes = node.extended_attributes.iter();
            let attributes: usize = attributes.map(|a| 48 + a.name.len() + a.value.len()).sum();
            let names = node.name.len() + node.user.len() + node.group.len();
            size_of::<Node>() + names + node.link_target.len() + content * Id::LENGTH + attributes
        };
        self.nodes.iter().map(|one| node(one) as u64).sum()
    }
}
