//! Whether a snapshot has been copied before; the rule is restic's.

use std::collections::HashMap;

use crate::format::{Id, Snapshot};
use crate::repository::SnapshotFile;

/// The snapshots of a destination by the snapshot that each is a copy of, or changed from, and by their own names.
pub(super) struct Known<'a>(HashMap<Id, Vec<&'a SnapshotFile>>);

impl<'a> Known<'a> {
    pub fn new(snapshots: &'a [SnapshotFile]) -> Self {
        let mut known: HashMap<Id, Vec<&SnapshotFile>> = HashMap::new();
        for file in snapshots {
            for origin in [Some(file.id), file.snapshot.original]
                .into_iter()
                .flatten()
            {
                known.entry(origin).or_default().push(file);
            }
        }
        Self(known)
    }

    /// The copy of a source's snapshot, if there is one.
    pub fn copy_of(&self, file: &SnapshotFile) -> Option<Id> {
        let candidates = self.0.get(&origin(file))?;
        candidates
            .iter()
            .find(|copy| is_similar(&copy.snapshot, &file.snapshot))
            .map(|copy| copy.id)
    }
}

/// The name that a snapshot keeps through copies and changes.
pub(super) fn origin(file: &SnapshotFile) -> Id {
    file.snapshot.original.unwrap_or(file.id)
}

/// Whether all is equal but parent, original, the program that wrote it, and its figures.
fn is_similar(a: &Snapshot, b: &Snapshot) -> bool {
    let same_set =
        |a: &[String], b: &[String]| a.len() == b.len() && b.iter().all(|text| a.contains(text));
    a.time.instant() == b.time.instant()
        && a.tree == b.tree
        && (&a.hostname, &a.username, a.uid, a.gid) == (&b.hostname, &b.username, b.uid, b.gid)
        && same_set(&a.paths, &b.paths)
        && same_set(&a.tags, &b.tags)
        && a.excludes == b.excludes
}
