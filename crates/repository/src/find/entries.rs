//! Entries whose path matches a pattern.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::format::{Id, Node, Time};
use crate::index::Index;
use crate::pattern::PatternList;
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::walk::{Entry, Found, walk_union};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct FindOptions {
    /// Paths that match one of these.
    pub patterns: PatternList,
    /// Changed at this time or later.
    pub oldest: Option<Time>,
    /// Changed at this time or before.
    pub newest: Option<Time>,
}

impl FindOptions {
    fn in_time(&self, node: &Node) -> bool {
        self.oldest.is_none_or(|oldest| node.mtime >= oldest)
            && self.newest.is_none_or(|newest| node.mtime <= newest)
    }
}

/// What was found in a snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotMatches {
    /// The snapshot.
    pub snapshot: SnapshotFile,
    /// The entries in the order of their paths. Snapshots that have the same entry share it.
    pub matches: Vec<Arc<Entry>>,
}

/// Looks for entries in the snapshots. What several have in common is read once. Damage is told to `progress`
/// ([`Progress::entry_error`]) and passed over.
///
/// # Errors
/// [`crate::ErrorKind::Cancelled`], or the storage's.
pub async fn find_entries(
    repository: &Repository,
    index: &Index,
    snapshots: Vec<SnapshotFile>,
    options: &FindOptions,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Vec<SnapshotMatches>> {
    progress.begin(Phase::ReadTrees);
    let trees: Vec<Id> = snapshots.iter().map(|file| file.snapshot.tree).collect();
    let mut found: Vec<Vec<Arc<Entry>>> = vec![Vec::new(); trees.len()];
    walk_union(repository, index, &trees, cancel, &mut |what, members| {
        let entry = match what {
            Found::Entry(entry) => entry,
            Found::Damage(damage) => {
                progress.entry_error(&damage.path, "find", &damage.error.to_string());
                return false;
            }
        };
        let verdict = options.patterns.matches(&entry.path);
        if verdict.matched && options.in_time(&entry.node) {
            let entry = Arc::new(entry.clone());
            for member in members
                .iter()
                .filter_map(|&member| usize::try_from(member).ok())
            {
                if let Some(matches) = found.get_mut(member) {
                    matches.push(Arc::clone(&entry));
                }
            }
        }
        verdict.child_may_match
    })
    .await?;
    let sorted = |(snapshot, mut matches): (SnapshotFile, Vec<Arc<Entry>>)| {
        matches.sort_by(|a, b| a.path.cmp(&b.path));
        SnapshotMatches { snapshot, matches }
    };
    Ok(snapshots.into_iter().zip(found).map(sorted).collect())
}
