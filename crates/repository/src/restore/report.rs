//! What became of a restore.

use crate::Error;
use crate::restore::Problem;

/// Figures of a restore, in restic's terms. "Files" are entries of every kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoreSummary {
    /// Entries that were to be written.
    pub total_files: u64,
    /// Entries that were written.
    pub files_restored: u64,
    /// Entries that stayed as they were.
    pub files_skipped: u64,
    /// Entries that were removed.
    pub files_deleted: u64,
    /// Bytes of the files that were to be written.
    pub total_bytes: u64,
    /// Bytes of the files that were written.
    pub bytes_restored: u64,
    /// Of these the bytes that were there already: in old files, or left by an interrupted restore.
    pub bytes_reused: u64,
    /// Bytes of the files that stayed as they were.
    pub bytes_skipped: u64,
    /// Files that were read back and found right.
    pub files_verified: u64,
}

/// What became of a restore. It may have failed: [`RestoreReport::is_complete`] tells.
#[derive(Debug, Default)]
#[must_use = "a restore may be incomplete"]
pub struct RestoreReport {
    /// The figures.
    pub summary: RestoreSummary,
    /// Every entry that is not as it should be.
    pub problems: Vec<Problem>,
    /// Why the restore ended before its end: cancelled, no space, the storage failed.
    pub stopped: Option<Error>,
    /// Entries whose owner could not be set, because the user who ran this may not.
    pub owners_withheld: u64,
    /// Extended attributes that could not be set for that reason, or because the target does not know them.
    pub extended_attributes_withheld: u64,
    /// Unfinished files that keep their partial names, so that the next restore goes on with them.
    pub files_unfinished: u64,
    /// Entries that were to be removed and were kept, because something went wrong before.
    pub deletions_withheld: u64,
}

impl RestoreReport {
    /// Whether everything that was planned is there.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.stopped.is_none()
    }
}
