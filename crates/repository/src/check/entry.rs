//! Checking one tree's entries.

use super::finding::EntryProblem;
use crate::format::{BlobKind, Id, Node, NodeKind, Tree};
use crate::index::Index;

/// What is wrong with the entries of a tree, by their positions in it.
pub(super) fn problems(index: &Index, tree: &Tree) -> Vec<(usize, EntryProblem)> {
    let mut found = Vec::new();
    let mut names: Vec<(&[u8], usize)> = Vec::with_capacity(tree.nodes.len());
    for (position, node) in tree.nodes.iter().enumerate() {
        found.extend(problem(index, node).map(|problem| (position, problem)));
        if !node.has_safe_name() {
            found.push((position, EntryProblem::Name));
        }
        names.push((&node.name, position));
    }
    names.sort_unstable();
    for pair in names.windows(2) {
        if let [(first, _), (second, position)] = pair
            && first == second
        {
            found.push((*position, EntryProblem::DuplicateName));
        }
    }
    found
}

/// What is wrong with what the entry refers to.
fn problem(index: &Index, node: &Node) -> Option<EntryProblem> {
    match &node.kind {
        NodeKind::File => content_problem(index, node),
        NodeKind::Dir if node.subtree.is_none() => Some(EntryProblem::NoSubtree),
        NodeKind::Other(_) => Some(EntryProblem::UnknownKind),
        _ => None,
    }
}

fn content_problem(index: &Index, node: &Node) -> Option<EntryProblem> {
    let Some(content) = &node.content else {
        return Some(EntryProblem::NoContent);
    };
    let (mut missing, mut first, mut size) = (0_u64, None::<Id>, 0_u64);
    for id in content {
        match index.locate(BlobKind::Data, id) {
            Some(location) => size = size.saturating_add(u64::from(location.plain_length())),
            None => {
                missing = missing.saturating_add(1);
                first = first.or(Some(*id));
            }
        }
    }
    match first {
        Some(first) => Some(EntryProblem::MissingBlobs {
            count: missing,
            first,
        }),
        None if size != node.size_bytes => Some(EntryProblem::Size {
            expected_bytes: node.size_bytes,
            actual_bytes: size,
        }),
        None => None,
    }
}

/// The problem in words.
pub(super) fn describe(problem: &EntryProblem) -> String {
    match problem {
        EntryProblem::NoContent => "a file without a list of blobs".to_owned(),
        EntryProblem::MissingBlobs { count, first } => {
            format!(
                "{count} of its blobs are in no index, {} for one",
                first.short()
            )
        }
        EntryProblem::Size {
            expected_bytes,
            actual_bytes,
        } => {
            format!("has {expected_bytes} bytes, its blobs together {actual_bytes}")
        }
        EntryProblem::NoSubtree => "a directory without a tree".to_owned(),
        EntryProblem::Name => "not a name that a file can have".to_owned(),
        EntryProblem::DuplicateName => "occurs twice in its directory".to_owned(),
        EntryProblem::UnknownKind => "of a kind that this program does not know".to_owned(),
    }
}

/// Whether the entry cannot be restored as it was.
pub(super) fn is_loss(problem: &EntryProblem) -> bool {
    !matches!(problem, EntryProblem::DuplicateName)
}
