//! Trees without what is lost.
//!
//! A tree is named by its content, so a tree that changes changes all trees above it. First every tree is read once, to
//! find those in which something is lost and those above them; only these are read again and made anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::entries::{Loss, mend};
use crate::format::{BlobKind, Id, Node, NodeKind, Tree};
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::{Storer, visit_trees};
use crate::{Error, ErrorKind, Result};

/// Trees that cannot stay as they are.
#[derive(Debug, Default)]
pub(super) struct BadTrees {
    /// They cannot be read.
    unreadable: HashSet<Id>,
    /// Something in them or below is lost; the unreadable ones are among these.
    affected: HashSet<Id>,
}

#[derive(Default)]
struct Found {
    unreadable: HashSet<Id>,
    damaged: Vec<Id>,
    /// Tree, tree above it.
    links: Vec<(Id, Id)>,
}

/// Reads all trees below the roots. Takes 64 bytes for each directory.
pub(super) async fn find_bad_trees(
    repository: &Repository,
    index: &Arc<Index>,
    roots: Vec<Id>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<BadTrees> {
    let found = Arc::new(Mutex::new(Found::default()));
    let (job, job_index) = (Arc::clone(&found), Arc::clone(index));
    let visit = move |id: &Id, tree: std::result::Result<&Tree, &Error>| {
        let Ok(tree) = tree else {
            lock(&job).unreadable.insert(*id);
            return;
        };
        let is_damaged = !mend(&job_index, tree.clone()).1.is_empty();
        let below = tree.nodes.iter().filter_map(subtree);
        let links: Vec<(Id, Id)> = below.map(|below| (below, *id)).collect();
        let mut found = lock(&job);
        found.links.extend(links);
        if is_damaged {
            found.damaged.push(*id);
        }
    };
    visit_trees(repository, index, roots, visit, progress, cancel).await?;
    let found = std::mem::take(&mut *lock(&found));
    Ok(found.close())
}

impl Found {
    /// Goes upwards from what is bad.
    fn close(mut self) -> BadTrees {
        self.links.sort_unstable();
        let mut waiting = self.damaged;
        waiting.extend(&self.unreadable);
        let mut affected: HashSet<Id> = waiting.iter().copied().collect();
        while let Some(tree) = waiting.pop() {
            let begin = self.links.partition_point(|(below, _)| *below < tree);
            let rest = self.links.get(begin..).unwrap_or_default();
            for (_, above) in rest.iter().take_while(|(below, _)| *below == tree) {
                if affected.insert(*above) {
                    waiting.push(*above);
                }
            }
        }
        BadTrees {
            unreadable: self.unreadable,
            affected,
        }
    }
}

impl BadTrees {
    pub fn is_affected(&self, tree: &Id) -> bool {
        self.affected.contains(tree)
    }

    pub fn is_unreadable(&self, tree: &Id) -> bool {
        self.unreadable.contains(tree)
    }
}

/// A tree that was made anew.
struct NewTree {
    id: Id,
    /// What is lost in the tree itself, by names.
    own: Vec<(Vec<u8>, Loss)>,
    /// Directories in it with losses below: their names and old trees.
    below: Vec<(Vec<u8>, Id)>,
    /// Losses in it and below.
    losses: u64,
}

/// Makes trees anew, each once.
pub(super) struct Rewriter<'a> {
    repository: &'a Repository,
    index: &'a Index,
    bad: &'a BadTrees,
    /// Where they are stored; `None`: nothing is.
    storer: Option<&'a Storer>,
    done: HashMap<Id, NewTree>,
}

/// A tree whose subtrees are being made.
struct Frame {
    old: Id,
    nodes: Vec<Node>,
    own: Vec<(Vec<u8>, Loss)>,
}

impl<'a> Rewriter<'a> {
    pub fn new(
        repository: &'a Repository,
        index: &'a Index,
        bad: &'a BadTrees,
        storer: Option<&'a Storer>,
    ) -> Self {
        Self {
            repository,
            index,
            bad,
            storer,
            done: HashMap::new(),
        }
    }

    /// The name of the tree that takes the place of this one. The caller makes sure that it can be read.
    pub async fn rewrite(&mut self, root: Id, cancel: &CancellationToken) -> Result<Id> {
        // A loop and not a recursion: directories may be nested deeper than a stack is.
        let mut frames = vec![];
        if !self.done.contains_key(&root) {
            frames.push(self.open(root).await?);
        }
        while let Some(frame) = frames.last() {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let next = frame.nodes.iter().filter_map(subtree).find(|id| {
                self.bad.is_affected(id)
                    && !self.bad.is_unreadable(id)
                    && !self.done.contains_key(id)
            });
            match next {
                Some(id) => frames.push(self.open(id).await?),
                None => {
                    if let Some(frame) = frames.pop() {
                        self.close(frame).await?;
                    }
                }
            }
        }
        let new = self.done.get(&root);
        new.map(|tree| tree.id)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a tree was not made"))
    }

    async fn open(&self, old: Id) -> Result<Frame> {
        let tree = self.repository.load_tree(self.index, &old).await?;
        let (nodes, own) = mend(self.index, tree);
        Ok(Frame { old, nodes, own })
    }

    async fn close(&mut self, frame: Frame) -> Result<()> {
        let Frame {
            old,
            mut nodes,
            mut own,
        } = frame;
        let mut below = Vec::new();
        let mut losses = 0_u64;
        for node in &mut nodes {
            if node.kind != NodeKind::Dir {
                continue;
            }
            let Some(id) = node.subtree else {
                node.subtree = Some(self.store(Tree::default()).await?);
                continue;
            };
            if self.bad.is_unreadable(&id) {
                own.push((node.name.clone(), Loss::Directory));
                node.subtree = Some(self.store(Tree::default()).await?);
            } else if let Some(new) = self.done.get(&id) {
                node.subtree = Some(new.id);
                losses = losses.saturating_add(new.losses);
                below.push((node.name.clone(), id));
            }
        }
        losses = losses.saturating_add(own.len() as u64);
        let id = self.store(Tree { nodes }).await?;
        let new = NewTree {
            id,
            own,
            below,
            losses,
        };
        self.done.insert(old, new);
        Ok(())
    }

    async fn store(&self, tree: Tree) -> Result<Id> {
        let plain = tree
            .encode()
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        let id = Id::of(&plain);
        if let Some(storer) = self.storer {
            storer.store(BlobKind::Tree, plain).await?;
        }
        Ok(id)
    }

    /// Losses below a root that was made anew: their number, and up to `limit` of them with their paths.
    pub fn losses(&self, root: &Id, limit: usize) -> (u64, Vec<(Vec<u8>, Loss)>) {
        let count = self.done.get(root).map_or(0, |tree| tree.losses);
        let mut listed = Vec::new();
        let mut waiting = vec![(Vec::new(), *root)];
        while let Some((folder, id)) = waiting.pop() {
            let Some(tree) = self.done.get(&id) else {
                continue;
            };
            for (name, loss) in &tree.own {
                if listed.len() < limit {
                    listed.push((join(&folder, name), loss.clone()));
                }
            }
            if listed.len() >= limit {
                break;
            }
            let below = tree.below.iter().rev();
            waiting.extend(below.map(|(name, id)| (join(&folder, name), *id)));
        }
        (count, listed)
    }
}

fn subtree(node: &Node) -> Option<Id> {
    node.subtree.filter(|_| node.kind == NodeKind::Dir)
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}

fn lock(found: &Mutex<Found>) -> std::sync::MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}
