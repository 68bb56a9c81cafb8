//! Checking that what is in the trash can be brought back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::finding::FindingKind;
use super::structure::Structure;
use crate::Result;
use crate::format::{BlobKind, Id, Tree};
use crate::progress::Progress;
use crate::repository::{Repository, SnapshotFile};
use crate::usage::{find_used, visit_more_trees};

/// Reads the trees that the trash alone needs, marks what they use, and says which snapshots there lack something. Returns
/// how many snapshots there are.
///
/// That another program's prune took data of the trash is told and is no damage: no snapshot needs it.
pub(super) async fn check_trash(
    repository: &Repository,
    structure: &Arc<Structure>,
    snapshots: &[SnapshotFile],
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<u64> {
    let findings = &structure.findings;
    let (entries, unreadable) = repository.load_trash(progress).await?;
    let count = (entries.len() as u64).saturating_add(unreadable.len() as u64);
    let is_live = |id: &Id| snapshots.iter().any(|file| file.id == *id);
    // One whose snapshot is there was left behind by a forget that was interrupted, and stands for nothing.
    for (snapshot, error) in unreadable.into_iter().filter(|(id, _)| !is_live(id)) {
        let message = format!("{error}; a prune refuses while it is there");
        findings.add(FindingKind::TrashUnreadable { snapshot }, message);
    }
    if entries.is_empty() {
        return Ok(count);
    }
    let roots = entries.iter().map(|entry| entry.snapshot.tree).collect();
    if mark_used(repository, structure, roots, progress, cancel).await? {
        return Ok(count);
    }
    // Something is missing: whose it is takes a walk through each.
    for entry in &entries {
        let (snapshot, root) = (entry.record.snapshot, vec![entry.snapshot.tree]);
        let used = find_used(repository, &structure.index, root, progress, cancel).await?;
        let Some(first) = used.failures.first() else {
            continue;
        };
        let (kind, what) = match used.unreadable_count {
            0 => (FindingKind::TrashIncomplete { snapshot }, "missing"),
            _ => (FindingKind::TrashDamaged { snapshot }, "missing or damaged"),
        };
        let message = format!(
            "snapshot {} in the trash cannot be brought back whole: {} blobs are {what}: {first}",
            snapshot.short(),
            used.failures_count
        );
        findings.add(kind, message);
    }
    Ok(count)
}

/// Marks what is used below the roots; whether all of it is in the index and all trees can be read.
async fn mark_used(
    repository: &Repository,
    structure: &Arc<Structure>,
    roots: Vec<Id>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<bool> {
    let (job, index) = (Arc::clone(structure), Arc::clone(&structure.index));
    let seen = structure.used.of(BlobKind::Tree).copied();
    let lacks = Arc::new(AtomicBool::new(false));
    let found = Arc::clone(&lacks);
    let visit = move |id: &Id, tree: std::result::Result<&Tree, &crate::Error>| {
        job.used.mark(&job.index, BlobKind::Tree, id);
        let nodes = tree.map_or(&[][..], |tree| &tree.nodes);
        let mut lacking = tree.is_err();
        for blob in nodes.iter().flat_map(|node| node.content.iter().flatten()) {
            lacking |= job.used.mark(&job.index, BlobKind::Data, blob).is_none();
        }
        found.fetch_or(lacking, Ordering::Relaxed);
    };
    visit_more_trees(repository, &index, roots, seen, visit, progress, cancel).await?;
    Ok(!lacks.load(Ordering::Relaxed))
}
