//! Which snapshots and files damage touches: a second walk, made only if there is damage.
//!
//! All trees are read once more and the links between them are kept (eight bytes each). From these follows for every
//! tree how many damaged entries lie in it and below; then only trees with some are followed to find the paths.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::entry;
use crate::Result;
use crate::format::{BlobKind, Id, Node, NodeKind, Tree};
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::{Repository, SnapshotFile};
use crate::usage::{Marks, visit_trees};

/// What damage does to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedSnapshot {
    /// The snapshot.
    pub snapshot: Id,
    /// Entries that cannot be restored as they were. A directory whose tree is lost counts as one, with all below it.
    pub entries: u64,
    /// Paths of some of them inside the snapshot: raw bytes, beginning with `/`. `/` alone: everything is lost.
    pub paths: Vec<Vec<u8>>,
}

/// What is lost: all that no index file names, and marked records of the index.
#[derive(Debug)]
pub(crate) struct Losses {
    pub index: Arc<Index>,
    /// Records whose blobs cannot be read.
    pub damaged: Arc<Marks>,
}

/// Finds the snapshots that losses touch, and up to `paths_max` paths in all.
pub(crate) async fn find_affected(
    repository: &Repository,
    losses: &Arc<Losses>,
    snapshots: &[SnapshotFile],
    paths_max: usize,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Vec<AffectedSnapshot>> {
    let roots = snapshots.iter().map(|file| file.snapshot.tree).collect();
    let links = Arc::new(Mutex::new(Links::default()));
    let (job, job_links) = (Arc::clone(losses), Arc::clone(&links));
    let visit = move |id: &Id, tree: std::result::Result<&Tree, &crate::Error>| {
        if let (Ok(tree), Some(position)) = (tree, job.index.ordinal(BlobKind::Tree, id)) {
            let own = damaged_entries(&job, tree).count() as u64;
            let below: Vec<(u32, u32)> = subtrees(&job.index, tree)
                .map(|below| (position as u32, below))
                .collect();
            job_links
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(position as u32, own, below);
        }
    };
    visit_trees(repository, &losses.index, roots, visit, progress, cancel).await?;
    let links = std::mem::take(&mut *links.lock().unwrap_or_else(PoisonError::into_inner));
    let counts = links.count();
    let mut left = paths_max;
    let mut affected = Vec::new();
    for file in snapshots {
        let root = file.snapshot.tree;
        let mut paths = Vec::new();
        let entries = if is_lost_tree(losses, &root) {
            if left > 0 {
                paths.push(b"/".to_vec());
            }
            1
        } else {
            let position = losses.index.ordinal(BlobKind::Tree, &root);
            let count = position
                .and_then(|position| counts.get(&(position as u32)).copied())
                .unwrap_or(0);
            if count > 0 {
                paths = find_paths(repository, losses, &counts, root, left, cancel).await?;
            }
            count
        };
        left = left.saturating_sub(paths.len());
        if entries > 0 {
            affected.push(AffectedSnapshot {
                snapshot: file.id,
                entries,
                paths,
            });
        }
    }
    Ok(affected)
}

/// How trees hang together, by the positions of their first records.
#[derive(Default)]
struct Links {
    /// Damaged entries of each tree that has any.
    own: HashMap<u32, u64>,
    /// Tree, tree below it; once for each entry.
    links: Vec<(u32, u32)>,
}

impl Links {
    fn add(&mut self, tree: u32, own: u64, below: Vec<(u32, u32)>) {
        if own > 0 {
            self.own.insert(tree, own);
        }
        self.links.extend(below);
    }

    /// For every tree with damage in it or below: how many entries.
    ///
    /// Goes from the damaged trees upwards; a tree is counted when all affected trees below it are. Identifiers are
    /// hashes, so there are no circles.
    fn count(mut self) -> HashMap<u32, u64> {
        self.links
            .sort_unstable_by_key(|(above, below)| (*below, *above));
        let above = |tree: u32| {
            let begin = self.links.partition_point(|(_, below)| *below < tree);
            let rest = self.links.get(begin..).unwrap_or_default();
            rest.iter()
                .take_while(move |(_, below)| *below == tree)
                .map(|(above, _)| *above)
        };
        // How many links lead from each affected tree to affected ones.
        let mut open: HashMap<u32, u64> = self.own.keys().map(|tree| (*tree, 0)).collect();
        let mut waiting: Vec<u32> = self.own.keys().copied().collect();
        while let Some(tree) = waiting.pop() {
            for parent in above(tree) {
                open.entry(parent)
                    .and_modify(|links| *links = links.saturating_add(1))
                    .or_insert_with(|| {
                        waiting.push(parent);
                        1
                    });
            }
        }
        let mut counts = self.own.clone();
        let mut ready: Vec<u32> = open
            .iter()
            .filter(|(_, links)| **links == 0)
            .map(|(tree, _)| *tree)
            .collect();
        while let Some(tree) = ready.pop() {
            let count = counts.get(&tree).copied().unwrap_or(0);
            for parent in above(tree) {
                let sum = counts.entry(parent).or_default();
                *sum = sum.saturating_add(count);
                if let Some(links) = open.get_mut(&parent) {
                    *links = links.saturating_sub(1);
                    if *links == 0 {
                        ready.push(parent);
                    }
                }
            }
        }
        counts
    }
}

fn subtrees(index: &Index, tree: &Tree) -> impl Iterator<Item = u32> {
    let positions = tree
        .nodes
        .iter()
        .filter_map(|node| index.ordinal(BlobKind::Tree, &node.subtree?));
    positions.map(|position| position as u32)
}

/// Entries of the tree itself that cannot be restored as they were.
fn damaged_entries<'a>(losses: &'a Losses, tree: &'a Tree) -> impl Iterator<Item = &'a Node> {
    let problems = entry::problems(&losses.index, tree);
    let wrong: std::collections::HashSet<usize> = problems
        .into_iter()
        .filter(|(_, problem)| entry::is_loss(problem))
        .map(|(position, _)| position)
        .collect();
    let nodes = tree.nodes.iter().enumerate();
    nodes
        .filter(move |(position, node)| wrong.contains(position) || is_lost(losses, node))
        .map(|(_, node)| node)
}

fn is_lost(losses: &Losses, node: &Node) -> bool {
    let lost = |kind, id: &Id| losses.damaged.has_all_records(&losses.index, kind, id);
    node.content
        .iter()
        .flatten()
        .any(|id| lost(BlobKind::Data, id))
        || (node.kind == NodeKind::Dir && node.subtree.is_some_and(|id| lost(BlobKind::Tree, &id)))
}

fn is_lost_tree(losses: &Losses, tree: &Id) -> bool {
    losses
        .damaged
        .has_all_records(&losses.index, BlobKind::Tree, tree)
}

/// Paths of damaged entries below a root, at most `limit`.
async fn find_paths(
    repository: &Repository,
    losses: &Losses,
    counts: &HashMap<u32, u64>,
    root: Id,
    limit: usize,
    cancel: &CancellationToken,
) -> Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    let mut waiting = vec![(Vec::new(), root)];
    while let Some((folder, id)) = waiting.pop() {
        if cancel.is_cancelled() {
            return Err(crate::Error::cancelled());
        }
        if paths.len() >= limit {
            break;
        }
        let tree = repository.load_tree(&losses.index, &id).await?;
        let room = limit.saturating_sub(paths.len());
        paths.extend(
            damaged_entries(losses, &tree)
                .take(room)
                .map(|node| join(&folder, &node.name)),
        );
        for node in tree.nodes.iter().rev() {
            let Some(below) = node.subtree else { continue };
            let position = losses.index.ordinal(BlobKind::Tree, &below);
            let has_damage =
                position.is_some_and(|position| counts.contains_key(&(position as u32)));
            if has_damage && !is_lost_tree(losses, &below) {
                waiting.push((join(&folder, &node.name), below));
            }
        }
    }
    Ok(paths)
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}
