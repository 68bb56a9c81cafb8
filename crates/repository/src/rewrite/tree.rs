//! One tree rewritten: depth first, each directory when all in it is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::DropMetadata;
use super::memo::Memo;
use crate::error::Context;
use crate::format::{BlobKind, Id, Node, NodeKind, Tree, TreeBuilder};
use crate::index::Index;
use crate::pattern::PatternSet;
use crate::progress::{Amount, Progress};
use crate::repository::Repository;
use crate::usage::Storer;
use crate::walk::{Damage, Entry, Step, Walk};
use crate::{Error, Result};

/// Files with their bytes, and everything that is no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entries {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Directories, links and so on.
    pub others: u64,
}

impl Entries {
    fn add_node(&mut self, node: &Node) {
        match node.kind {
            NodeKind::File => self.add(Self {
                files: 1,
                bytes: node.size_bytes,
                others: 0,
            }),
            _ => self.others = self.others.saturating_add(1),
        }
    }

    fn add(&mut self, other: Self) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.others = self.others.saturating_add(other.others);
    }
}

/// What became of a directory with all that is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewritten {
    /// The tree; the same if nothing changed.
    pub tree: Id,
    pub kept: Entries,
    pub removed: Entries,
    /// Entries that lost metadata.
    pub stripped: u64,
}

/// Goes through trees of snapshots, one after the other.
pub(super) struct TreeRewriter<'a> {
    pub repository: &'a Repository,
    pub index: &'a Arc<Index>,
    pub exclude: Arc<PatternSet>,
    pub drop: DropMetadata,
    pub memo: Arc<Mutex<Memo>>,
    /// Where new trees go. Without one they are only named, and what is left out is counted.
    pub storer: Option<&'a Storer>,
    pub progress: &'a dyn Progress,
    pub cancel: &'a CancellationToken,
}

/// A directory that the walk is in.
struct Frame {
    path: Vec<u8>,
    tree: Id,
    /// What is known of it; `None` for the root.
    node: Option<Node>,
    is_excluded: bool,
    entries: Vec<FrameEntry>,
    rewritten: Rewritten,
}

/// An entry as it was, and what becomes of it.
struct FrameEntry {
    node: Node,
    is_excluded: bool,
    subtree: Option<Id>,
}

/// Directories that are not gone into, since they are known: by their paths.
type Known = Arc<Mutex<HashMap<Vec<u8>, Rewritten>>>;

impl TreeRewriter<'_> {
    /// Rewrites a tree.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if something in it cannot be read or is of a kind that would be lost; the storage's;
    /// [`crate::ErrorKind::Cancelled`].
    pub async fn rewrite(&self, root: Id) -> Result<Rewritten> {
        let known = Known::default();
        let mut walk = self.walk(root, &known);
        let mut frames = vec![Frame::new(b"/".to_vec(), root, None, false)];
        while let Some(step) = walk.next().await? {
            match step {
                Step::Damage(damage) => self.damaged(damage, &mut frames).await?,
                Step::Entry(entry) => self.enter(*entry, &known, &mut frames),
                Step::Left(_) => {
                    let Some(frame) = frames.pop() else { break };
                    if let Some(rewritten) = self.leave(frame, frames.last_mut()).await? {
                        return Ok(rewritten);
                    }
                }
            }
        }
        Err(Error::damaged(format!("tree {root} has no end")))
    }

    fn walk(&self, root: Id, known: &Known) -> Walk {
        let (repository, index) = (self.repository.clone(), Arc::clone(self.index));
        let (memo, known) = (Arc::clone(&self.memo), Arc::clone(known));
        let exclude = Arc::clone(&self.exclude);
        let counts_excluded = self.storer.is_none();
        let descend = move |entry: &Entry| {
            let Some(tree) = entry.node.subtree else {
                return false;
            };
            if !counts_excluded && exclude.is_match(&entry.path) {
                return false;
            }
            match lock(&memo).get(&entry.path, &tree) {
                None => true,
                Some(rewritten) => {
                    lock(&known).insert(entry.path.clone(), rewritten);
                    false
                }
            }
        };
        Walk::new(repository, index, root, b"/", self.cancel.clone()).descend_where(descend)
    }

    fn enter(&self, entry: Entry, known: &Known, frames: &mut Vec<Frame>) {
        let Some(frame) = frames.last_mut() else {
            return;
        };
        let is_excluded = frame.is_excluded || self.exclude.is_match(&entry.path);
        let subtree = entry
            .node
            .subtree
            .filter(|_| entry.node.kind == NodeKind::Dir);
        let Some(tree) = subtree else {
            return frame.add(entry.node, is_excluded, None);
        };
        if let Some(rewritten) = lock(known).remove(&entry.path) {
            frame.add(entry.node, is_excluded, Some(rewritten));
        } else if is_excluded && self.storer.is_some() {
            frame.add(entry.node, true, None);
        } else {
            let node = Some(entry.node);
            frames.push(Frame::new(entry.path, tree, node, is_excluded));
        }
    }

    /// What is left out may be damaged. A directory whose tree cannot be read is not gone into, and not left.
    async fn damaged(&self, damage: Damage, frames: &mut Vec<Frame>) -> Result<()> {
        if !frames.last().is_some_and(|frame| frame.is_excluded) {
            let path = String::from_utf8_lossy(&damage.path).into_owned();
            return Err(damage.error.context(path));
        }
        if let Some(frame) = frames.pop_if(|frame| frame.path == damage.path) {
            self.leave(frame, frames.last_mut()).await?;
        }
        Ok(())
    }

    /// Everything in the directory has come. Returns what became of the root.
    async fn leave(
        &self,
        mut frame: Frame,
        parent: Option<&mut Frame>,
    ) -> Result<Option<Rewritten>> {
        self.progress.advance(Amount {
            items: 1,
            ..Amount::default()
        });
        if !frame.is_excluded {
            self.finish(&mut frame).await?;
            lock(&self.memo).insert(&frame.path, &frame.tree, frame.rewritten);
        }
        match (parent, frame.node) {
            (Some(parent), Some(node)) => {
                parent.add(node, frame.is_excluded, Some(frame.rewritten));
                Ok(None)
            }
            _ => Ok(Some(frame.rewritten)),
        }
    }

    /// Makes the new tree, if there is one.
    async fn finish(&self, frame: &mut Frame) -> Result<()> {
        let entries = std::mem::take(&mut frame.entries);
        let (tree, drop) = (frame.tree, self.drop);
        let made = self
            .repository
            .workers()
            .run(move || make_tree(&tree, entries, drop))
            .await?
            .context(|| String::from_utf8_lossy(&frame.path).into_owned())?;
        frame.rewritten.stripped = frame.rewritten.stripped.saturating_add(made.stripped);
        let Some(plain) = made.plain else {
            return Ok(());
        };
        frame.rewritten.tree = made.id;
        match self.storer {
            Some(storer) => storer.store(BlobKind::Tree, plain).await,
            None => Ok(()),
        }
    }
}

impl Frame {
    fn new(path: Vec<u8>, tree: Id, node: Option<Node>, is_excluded: bool) -> Self {
        Self {
            path,
            tree,
            node,
            is_excluded,
            entries: Vec::new(),
            rewritten: Rewritten {
                tree,
                kept: Entries::default(),
                removed: Entries::default(),
                stripped: 0,
            },
        }
    }

    /// Takes an entry up, a directory with what became of it.
    fn add(&mut self, node: Node, is_excluded: bool, below: Option<Rewritten>) {
        let Rewritten {
            kept,
            removed,
            stripped,
            ..
        } = &mut self.rewritten;
        if is_excluded {
            removed.add_node(&node);
        } else {
            kept.add_node(&node);
        }
        if let Some(below) = below {
            if is_excluded {
                removed.add(below.kept);
            } else {
                kept.add(below.kept);
                *stripped = stripped.saturating_add(below.stripped);
            }
            removed.add(below.removed);
        }
        // What is left out is left out with its directory: nobody asks what was in it.
        if !self.is_excluded {
            self.entries.push(FrameEntry {
                node,
                is_excluded,
                subtree: below.map(|below| below.tree),
            });
        }
    }
}

struct Made {
    id: Id,
    /// The blob; `None` if the tree is as it was.
    plain: Option<Vec<u8>>,
    stripped: u64,
}

/// Makes the new tree of entries.
///
/// # Errors
/// If the old one has something in it that this program does not know, so that it would be lost on the way: its own
/// entries, written again, must yield its name.
fn make_tree(old: &Id, entries: Vec<FrameEntry>, drop: DropMetadata) -> Result<Made> {
    let mut builder = TreeBuilder::new();
    let mut originals = Vec::with_capacity(entries.len());
    let (mut changed, mut stripped) = (false, 0_u64);
    for entry in entries {
        if entry.is_excluded {
            changed = true;
        } else {
            let mut node = entry.node.clone();
            if let Some(subtree) = entry.subtree {
                changed |= node.subtree != Some(subtree);
                node.subtree = Some(subtree);
            }
            if drop.apply(&mut node) {
                changed = true;
                stripped = stripped.saturating_add(1);
            }
            builder.add(&node)?;
        }
        originals.push(entry.node);
    }
    if !changed {
        return Ok(Made {
            id: *old,
            plain: None,
            stripped,
        });
    }
    let original = Tree { nodes: originals }.encode()?;
    if Id::of(&original) != *old {
        return Err(Error::damaged(format!(
            "tree {} holds what this program does not know and would lose",
            old.short()
        )));
    }
    let plain = builder.finish();
    Ok(Made {
        id: Id::of(&plain),
        plain: Some(plain),
        stripped,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
