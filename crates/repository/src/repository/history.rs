//! What this process has done to the repository since it was opened, for those who have to tell it from what happened to it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Repository;
use crate::file_kind::FileKind;
use crate::format::Id;

/// Shared by all clones of a repository.
#[derive(Debug, Default)]
pub(super) struct History {
    removed: Mutex<HashSet<(FileKind, Id)>>,
    pruned: AtomicBool,
}

impl Repository {
    /// Files that were removed on purpose, locks excepted.
    pub(crate) fn removed_files(&self) -> HashSet<(FileKind, Id)> {
        let removed = self.inner.history.removed.lock();
        removed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note_removed(&self, kind: FileKind, id: &Id) {
        if kind != FileKind::Lock {
            let removed = self.inner.history.removed.lock();
            removed
                .unwrap_or_else(PoisonError::into_inner)
                .insert((kind, *id));
        }
    }

    /// A prune was begun: its plan has proved that all that snapshots need is there.
    pub(crate) fn was_pruned(&self) -> bool {
        self.inner.history.pruned.load(Ordering::Relaxed)
    }

    pub(crate) fn note_pruned(&self) {
        self.inner.history.pruned.store(true, Ordering::Relaxed);
    }
}
