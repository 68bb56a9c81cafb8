//! Visiting every tree once.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use super::{Bitmap, is_damage};
use crate::format::{BlobKind, Id, Tree};
use crate::index::Index;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::{Error, Result};

/// Reads every tree that can be reached from the roots, each once, several at a time, and calls `visit` with it, or
/// with the reason if it is damaged or in no index. What lies below such a tree is not reached through it.
///
/// `visit` runs on the worker threads, on several at once, in no order. The work grows with the number of different
/// trees, not with that of the snapshots.
///
/// # Errors
/// The storage's, and [`crate::ErrorKind::Cancelled`].
pub(crate) async fn visit_trees<V>(
    repository: &Repository,
    index: &Arc<Index>,
    roots: Vec<Id>,
    visit: V,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<()>
where
    V: Fn(&Id, std::result::Result<&Tree, &Error>) + Send + Sync + 'static,
{
    let seen = Bitmap::new(index.len(BlobKind::Tree));
    visit_more_trees(repository, index, roots, seen, visit, progress, cancel).await
}

/// The same without the trees that have been `seen` (by the position of their first record), and what lies below them.
pub(crate) async fn visit_more_trees<V>(
    repository: &Repository,
    index: &Arc<Index>,
    roots: Vec<Id>,
    seen: Bitmap,
    visit: V,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<()>
where
    V: Fn(&Id, std::result::Result<&Tree, &Error>) + Send + Sync + 'static,
{
    progress.begin(Phase::ReadTrees);
    let visit = Arc::new(visit);
    let at_once = repository
        .storage()
        .capabilities()
        .connections
        .max(repository.workers().threads())
        .max(1);
    let mut queue = Queue::new(index, seen);
    queue.extend(roots, progress);
    let mut running = FuturesUnordered::new();
    loop {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        while running.len() < at_once {
            let batch = queue.next_batch(at_once - running.len());
            if batch.is_empty() {
                break;
            }
            running.push(visit_batch(
                repository.clone(),
                Arc::clone(index),
                batch,
                Arc::clone(&visit),
            ));
        }
        let Some(visited) = running.next().await else {
            break;
        };
        let (trees, subtrees) = visited?;
        queue.extend(subtrees, progress);
        progress.advance(Amount {
            items: trees,
            ..Amount::default()
        });
    }
    // The visitor's state is the caller's again when this returns.
    drop(running);
    progress.total_known();
    Ok(())
}

/// Trees to be visited, the last found first: that keeps the queue as short as the directories on one path are wide.
struct Queue {
    index: Arc<Index>,
    seen: Bitmap,
    /// Trees that no index names have no position; damage alone makes them.
    absent: HashSet<Id>,
    waiting: Vec<Id>,
}

impl Queue {
    fn new(index: &Arc<Index>, seen: Bitmap) -> Self {
        Self {
            seen,
            index: Arc::clone(index),
            absent: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    /// The trees to visit next, so many that each of `jobs` gets some.
    fn next_batch(&mut self, jobs: usize) -> Vec<Id> {
        let count = Repository::trees_at_once(&self.index, self.waiting.iter().rev(), jobs);
        let left = self.waiting.len().saturating_sub(count);
        self.waiting.split_off(left)
    }

    fn extend(&mut self, trees: Vec<Id>, progress: &dyn Progress) {
        let before = self.waiting.len();
        for id in trees {
            let is_new = match self.index.ordinal(BlobKind::Tree, &id) {
                Some(position) => self.seen.set(position),
                None => self.absent.insert(id),
            };
            if is_new {
                self.waiting.push(id);
            }
        }
        let added = self.waiting.len().saturating_sub(before);
        progress.add_total(Amount {
            items: added as u64,
            ..Amount::default()
        });
    }
}

/// Visits trees; returns how many, and the trees below them.
async fn visit_batch<V>(
    repository: Repository,
    index: Arc<Index>,
    ids: Vec<Id>,
    visit: Arc<V>,
) -> Result<(u64, Vec<Id>)>
where
    V: Fn(&Id, std::result::Result<&Tree, &Error>) + Send + Sync + 'static,
{
    let mut read = Vec::with_capacity(ids.len());
    for (id, tree) in ids.iter().zip(repository.load_trees(&index, &ids).await) {
        match tree {
            Err(error) if !is_damage(&error) => return Err(error),
            tree => read.push((*id, tree)),
        }
    }
    let job = move || {
        let mut subtrees = Vec::new();
        for (id, tree) in &read {
            visit(id, tree.as_ref());
            let nodes = tree.iter().flat_map(|tree| &tree.nodes);
            subtrees.extend(nodes.filter_map(|node| node.subtree));
        }
        // A visitor's clone must be gone before the result is seen.
        drop(visit);
        (read.len() as u64, subtrees)
    };
    repository.workers().run(job).await
}
