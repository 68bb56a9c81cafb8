//! A snapshot: one state of what was backed up.

use crate::format::{Id, Time};

/// The state of a source at a time. In the repository it is a file whose name is the snapshot's identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub time: Time,
    /// The snapshot it was compared with.
    pub parent: Option<Id>,
    /// Its root tree.
    pub tree: Id,
    /// Absolute paths that were backed up.
    pub paths: Vec<String>,
    /// Name of the machine.
    pub hostname: String,
    /// Name of the user.
    pub username: String,
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// Patterns that were left out.
    pub excludes: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The snapshot that this one is a changed copy of.
    pub original: Option<Id>,
    /// Program that wrote it: `strongroom 0.1.0`.
    pub program_version: String,
    /// Figures of the backup.
    pub summary: Option<SnapshotSummary>,
}

/// Figures of the backup that made a snapshot, in restic's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Begin.
    pub backup_start: Time,
    /// End.
    pub backup_end: Time,
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
    /// Data blobs added.
    pub data_blobs: u64,
    /// Tree blobs added.
    pub tree_blobs: u64,
    /// Bytes added, before compression.
    pub data_added: u64,
    /// Bytes added, as stored.
    pub data_added_packed: u64,
    /// All files in the snapshot.
    pub total_files_processed: u64,
    /// Bytes of all files in the snapshot.
    pub total_bytes_processed: u64,
}
