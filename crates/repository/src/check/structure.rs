//! Checking that every tree of every snapshot can be read and that what it names is in the index.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::entry;
use super::finding::{Finding, FindingKind};
use super::report::Findings;
use crate::Result;
use crate::format::{BlobKind, Id, Tree};
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::{Marks, visit_trees};

/// What the walk gathers.
pub(super) struct Structure {
    pub index: Arc<Index>,
    pub findings: Arc<Findings>,
    /// Blobs that snapshots use, by the position of their first record.
    pub used: Marks,
    /// Records that are damaged.
    pub damaged: Arc<Marks>,
    pub trees: AtomicU64,
    /// Entries that cannot be restored as they were, not counting those whose blobs are damaged in their packs.
    pub losses: AtomicU64,
}

/// Reads all trees below the roots.
pub(super) async fn check_structure(
    repository: &Repository,
    structure: &Arc<Structure>,
    roots: Vec<Id>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<()> {
    let job = Arc::clone(structure);
    let index = Arc::clone(&structure.index);
    let visit = move |id: &Id, tree: std::result::Result<&Tree, &crate::Error>| match tree {
        Ok(tree) => job.check_tree(id, tree),
        Err(error) => job.unreadable(id, error),
    };
    visit_trees(repository, &index, roots, visit, progress, cancel).await
}

impl Structure {
    fn check_tree(&self, id: &Id, tree: &Tree) {
        self.trees.fetch_add(1, Ordering::Relaxed);
        self.used.mark(&self.index, BlobKind::Tree, id);
        for blob in tree
            .nodes
            .iter()
            .flat_map(|node| node.content.iter().flatten())
        {
            self.used.mark(&self.index, BlobKind::Data, blob);
        }
        let problems = entry::problems(&self.index, tree);
        let losses = problems
            .iter()
            .filter(|(_, problem)| entry::is_loss(problem))
            .count();
        self.losses.fetch_add(losses as u64, Ordering::Relaxed);
        self.findings
            .add_all(problems.into_iter().map(|(position, problem)| {
                let name = tree
                    .nodes
                    .get(position)
                    .map(|node| node.name.clone())
                    .unwrap_or_default();
                let shown = String::from_utf8_lossy(&name).into_owned();
                let message = format!(
                    "tree {}: {shown:?}: {}",
                    id.short(),
                    entry::describe(&problem)
                );
                Finding::new(
                    FindingKind::Entry {
                        tree: *id,
                        name,
                        problem,
                    },
                    message,
                )
            }));
    }

    fn unreadable(&self, id: &Id, error: &crate::Error) {
        self.losses.fetch_add(1, Ordering::Relaxed);
        self.used.mark(&self.index, BlobKind::Tree, id);
        for (position, _) in self.index.places(BlobKind::Tree, id) {
            self.damaged.of(BlobKind::Tree).set(position);
        }
        self.findings.add(
            FindingKind::Tree { tree: *id },
            format!("tree {}: {error}", id.short()),
        );
    }
}
