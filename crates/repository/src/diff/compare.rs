//! Going through two trees side by side.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::figures::{Blobs, blobs_of};
use super::{Change, DiffFigures, DiffOptions, DiffReport, Modifier};
use crate::format::{Id, Node, NodeKind};
use crate::index::Index;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::walk::{DEPTH_MAX, Damage, Entry, Found, Step, Walk, checked_tree, walk_union};
use crate::{Error, Result};

/// Compares two trees and shows what differs to `show`, in the order of the paths. What lies below a directory that only
/// one of them has is shown, too; what lies below an entry that became a directory, or was one, is not.
///
/// Damage is told to `progress` ([`Progress::entry_error`]), and what lies below is not compared.
///
/// # Errors
/// [`crate::ErrorKind::Cancelled`], or the storage's.
#[allow(clippy::too_many_arguments)]
pub async fn diff(
    repository: &Repository,
    index: &Arc<Index>,
    before: Id,
    after: Id,
    options: DiffOptions,
    show: &mut (dyn FnMut(Change) + Send),
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<DiffReport> {
    progress.begin(Phase::ReadTrees);
    let mut comparison = Comparison {
        repository,
        index,
        options,
        show,
        progress,
        cancel,
        report: DiffReport::default(),
        before: Blobs::from([(crate::format::BlobKind::Tree, before)]),
        after: Blobs::from([(crate::format::BlobKind::Tree, after)]),
        common: HashSet::new(),
    };
    comparison.compare(before, after).await?;
    comparison.count_blobs().await?;
    Ok(comparison.report)
}

/// The tree below a directory.
pub(super) fn subtree(node: &Node) -> Option<Id> {
    node.subtree.filter(|_| node.kind == NodeKind::Dir)
}

/// An entry of one directory on one side or both.
struct Pair {
    path: Vec<u8>,
    before: Option<Node>,
    after: Option<Node>,
}

struct Comparison<'a> {
    repository: &'a Repository,
    index: &'a Arc<Index>,
    options: DiffOptions,
    show: &'a mut (dyn FnMut(Change) + Send),
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
    report: DiffReport,
    before: Blobs,
    after: Blobs,
    /// Directories that are equal on both sides; nobody has looked into them yet.
    common: HashSet<Id>,
}

impl Comparison<'_> {
    async fn compare(&mut self, before: Id, after: Id) -> Result<()> {
        let mut frames = vec![self.pairs(b"/", before, after).await?];
        while let Some(frame) = frames.last_mut() {
            let Some(pair) = frame.next() else {
                frames.pop();
                continue;
            };
            if self.cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let deeper = match (&pair.before, &pair.after) {
                (Some(before), Some(after)) => self.both(&pair.path, before, after),
                (Some(node), None) => {
                    self.one(&pair.path, node, Modifier::Removed).await?;
                    None
                }
                (None, Some(node)) => {
                    self.one(&pair.path, node, Modifier::Added).await?;
                    None
                }
                (None, None) => None,
            };
            if let Some((before, after)) = deeper {
                if frames.len() < DEPTH_MAX {
                    frames.push(self.pairs(&pair.path, before, after).await?);
                } else {
                    self.damaged(&pair.path, "too many directories below one another");
                }
            }
        }
        Ok(())
    }

    /// The entries of both versions of a directory, paired by name.
    async fn pairs(&self, path: &[u8], before: Id, after: Id) -> Result<std::vec::IntoIter<Pair>> {
        let (before, after) =
            futures::try_join!(self.entries(path, before), self.entries(path, after))?;
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        let mut pairs = Vec::new();
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(before), Some(after)) => before.node.name.cmp(&after.node.name),
            };
            let before = before.next_if(|_| order.is_le());
            let after = after.next_if(|_| order.is_ge());
            let path = before
                .as_ref()
                .or(after.as_ref())
                .map(|entry| entry.path.clone());
            pairs.push(Pair {
                path: path.unwrap_or_default(),
                before: before.map(|entry| entry.node),
                after: after.map(|entry| entry.node),
            });
        }
        Ok(pairs.into_iter())
    }

    async fn entries(&self, path: &[u8], tree: Id) -> Result<Vec<Entry>> {
        let (entries, damages) = checked_tree(self.repository, self.index, tree, path).await?;
        for damage in damages {
            self.damaged(&damage.path, &damage.error);
        }
        Ok(entries)
    }

    /// Compares an entry that both sides have; returns the trees of a directory that differs.
    fn both(&mut self, path: &[u8], before: &Node, after: &Node) -> Option<(Id, Id)> {
        self.advance(before);
        self.before.extend(blobs_of(before));
        self.after.extend(blobs_of(after));
        let files = before.kind == NodeKind::File && after.kind == NodeKind::File;
        let content = files && before.content != after.content;
        let without_content = |node: &Node| Node {
            content: None,
            ..node.clone()
        };
        let modifier = Modifier::Changed {
            kind: before.kind != after.kind,
            content,
            rot: content && without_content(before) == without_content(after),
            metadata: !content && self.options.metadata && before != after,
        };
        self.report.changed_files += u64::from(content);
        if !modifier.to_string().is_empty() {
            self.show(path, after, modifier);
        }
        let (before, after) = (subtree(before)?, subtree(after)?);
        if before == after {
            self.common.insert(before);
            return None;
        }
        Some((before, after))
    }

    /// Shows an entry that one side has, and all below it.
    async fn one(&mut self, path: &[u8], node: &Node, modifier: Modifier) -> Result<()> {
        self.take(path, node, modifier);
        let Some(tree) = subtree(node) else {
            return Ok(());
        };
        let (repository, index) = (self.repository.clone(), Arc::clone(self.index));
        let mut walk = Walk::new(repository, index, tree, path, self.cancel.clone());
        while let Some(step) = walk.next().await? {
            match step {
                Step::Entry(entry) => self.take(&entry.path, &entry.node, modifier),
                Step::Damage(Damage { path, error }) => self.damaged(&path, &error),
                Step::Left(_) => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &[u8], node: &Node, modifier: Modifier) {
        self.advance(node);
        let (figures, blobs) = match modifier {
            Modifier::Removed => (&mut self.report.removed, &mut self.before),
            _ => (&mut self.report.added, &mut self.after),
        };
        figures.count_entry(node);
        blobs.extend(blobs_of(node));
        self.show(path, node, modifier);
    }

    fn show(&mut self, path: &[u8], node: &Node, modifier: Modifier) {
        let mut path = path.to_vec();
        if node.kind == NodeKind::Dir {
            path.push(b'/');
        }
        (self.show)(Change { path, modifier });
    }

    /// What only one side uses: not the other, and nothing that lies in a directory that is equal on both.
    async fn count_blobs(&mut self) -> Result<()> {
        let mut removed: Blobs = self.before.difference(&self.after).copied().collect();
        let mut added: Blobs = self.after.difference(&self.before).copied().collect();
        let common: Vec<Id> = self.common.drain().collect();
        if !removed.is_empty() || !added.is_empty() {
            let mut seen: HashSet<Id> = common.iter().copied().collect();
            let progress = self.progress;
            walk_union(
                self.repository,
                self.index,
                &common,
                self.cancel,
                &mut |what, _| {
                    let entry = match what {
                        Found::Entry(entry) => entry,
                        Found::Damage(damage) => {
                            progress.entry_error(&damage.path, "diff", &damage.error.to_string());
                            return false;
                        }
                    };
                    for blob in blobs_of(&entry.node) {
                        removed.remove(&blob);
                        added.remove(&blob);
                    }
                    let is_done = removed.is_empty() && added.is_empty();
                    !is_done && subtree(&entry.node).is_some_and(|tree| seen.insert(tree))
                },
            )
            .await?;
        }
        let count = |figures: &mut DiffFigures, blobs: &Blobs| {
            figures.count_blobs(blobs, self.index, self.progress);
        };
        count(&mut self.report.removed, &removed);
        count(&mut self.report.added, &added);
        Ok(())
    }

    fn advance(&self, node: &Node) {
        self.progress.advance(Amount {
            files: 1,
            bytes: node.size_bytes,
            items: 0,
        });
    }

    fn damaged(&self, path: &[u8], error: impl std::fmt::Display) {
        self.progress.entry_error(path, "diff", &error.to_string());
    }
}
