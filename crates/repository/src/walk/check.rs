//! What of a tree can be believed.

use super::{DEPTH_MAX, Damage, Entry};
use crate::Error;
use crate::format::{Id, Node, NodeKind, Tree};

/// The entries of a tree in the order of their names, and what is wrong with the others.
pub fn checked_entries(tree: Tree, tree_id: Id, directory: &[u8]) -> (Vec<Entry>, Vec<Damage>) {
    let mut nodes = tree.nodes;
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut entries, mut damages) = (Vec::<Entry>::with_capacity(nodes.len()), Vec::new());
    for node in nodes {
        let path = join(directory, &node.name);
        let twice = entries
            .last()
            .is_some_and(|last| last.node.name == node.name);
        match fault(&node, twice) {
            None => entries.push(Entry {
                path,
                parent_tree: tree_id,
                node,
            }),
            Some(fault) => damages.push(Damage {
                path,
                error: Error::damaged(format!("tree {}: {fault}", tree_id.short())),
            }),
        }
    }
    (entries, damages)
}

fn fault(node: &Node, twice: bool) -> Option<String> {
    let name = || String::from_utf8_lossy(&node.name);
    if !node.has_safe_name() {
        Some(format!("{:?} is no name of a file", name()))
    } else if twice {
        Some(format!("{:?} occurs twice", name()))
    } else if node.kind == NodeKind::Dir && node.subtree.is_none() {
        Some(format!("the directory {:?} has no tree", name()))
    } else if node.kind == NodeKind::Other("".into()) {
        Some(format!("{:?} has no type", name()))
    } else {
        None
    }
}

/// The tree below a directory; `None` for other entries.
pub(super) fn subtree(node: &Node) -> Option<Id> {
    node.subtree.filter(|_| node.kind == NodeKind::Dir)
}

/// An error for a directory at a depth that is refused.
pub(super) fn too_deep(path: &[u8]) -> Damage {
    Damage {
        path: path.to_vec(),
        error: Error::damaged(format!(
            "more than {DEPTH_MAX} directories below one another"
        )),
    }
}

/// The path of a name in a directory.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    [directory, b"/", name].concat()
}
