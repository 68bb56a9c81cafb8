//! The figures of a backup while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::NodeKind;
use crate::progress::Change;

/// Counts from many threads.
#[derive(Debug, Default)]
pub(super) struct Counters {
    files_new: AtomicU64,
    files_changed: AtomicU64,
    files_unmodified: AtomicU64,
    dirs_new: AtomicU64,
    dirs_changed: AtomicU64,
    dirs_unmodified: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
    errors: AtomicU64,
}

/// The figures of a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupFigures {
    /// Files that the parent did not have.
    pub files_new: u64,
    /// Files that differ from the parent's.
    pub files_changed: u64,
    /// Files taken over from the parent.
    pub files_unmodified: u64,
    /// Directories that the parent did not have.
    pub dirs_new: u64,
    /// Directories that differ from the parent's.
    pub dirs_changed: u64,
    /// Directories equal to the parent's.
    pub dirs_unmodified: u64,
    /// Entries that are neither: links, devices, fifos, sockets.
    pub others: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Entries, or parts of their metadata, that could not be read.
    pub errors: u64,
}

impl BackupFigures {
    /// All files.
    pub fn files(&self) -> u64 {
        self.files_new
            .saturating_add(self.files_changed)
            .saturating_add(self.files_unmodified)
    }

    /// All directories.
    pub fn dirs(&self) -> u64 {
        self.dirs_new
            .saturating_add(self.dirs_changed)
            .saturating_add(self.dirs_unmodified)
    }

    /// Whether there was no entry of any kind.
    pub fn is_empty(&self) -> bool {
        self.files() == 0 && self.dirs() == 0 && self.others == 0
    }
}

impl Counters {
    pub fn entry(&self, kind: &NodeKind, change: Change, bytes: u64) {
        let counter = match (kind, change) {
            (NodeKind::File, Change::Unchanged) => &self.files_unmodified,
            (NodeKind::File, Change::Changed) => &self.files_changed,
            (NodeKind::File, _) => &self.files_new,
            (NodeKind::Dir, Change::Unchanged) => &self.dirs_unmodified,
            (NodeKind::Dir, Change::Changed) => &self.dirs_changed,
            (NodeKind::Dir, _) => &self.dirs_new,
            _ => &self.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub fn figures(&self) -> BackupFigures {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BackupFigures {
            files_new: load(&self.files_new),
            files_changed: load(&self.files_changed),
            files_unmodified: load(&self.files_unmodified),
            dirs_new: load(&self.dirs_new),
            dirs_changed: load(&self.dirs_changed),
            dirs_unmodified: load(&self.dirs_unmodified),
            others: load(&self.others),
            bytes: load(&self.bytes),
            errors: load(&self.errors),
        }
    }
}
