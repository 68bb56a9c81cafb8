//! How long work tells what it is doing, without knowing who listens.

use crate::format::Node;

/// Amounts of work. Which of the fields count depends on the phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Files, or entries of any kind.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// Anything else that is counted: packs, blobs, snapshots, index files.
    pub items: u64,
}

/// A part of an operation that has its own total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Phase {
    LoadIndex,
    LoadSnapshots,
    VerifySignatures,
    Scan,
    Backup,
    ReadTrees,
    CheckPacks,
    ReadData,
    PlanRestore,
    Restore,
    Verify,
    Copy,
    Repack,
    WriteIndex,
    DeletePacks,
    DeleteFiles,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Change {
    New,
    Changed,
    Unchanged,
    Deleted,
    Skipped,
}

/// One entry that is finished.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Path inside the snapshot (backup) or below the target (restore); raw bytes, begins with `/`.
    pub path: &'a [u8],
    /// The entry.
    pub node: &'a Node,
    /// What became of it.
    pub change: Change,
    /// Bytes added to the repository before compression (backup), or written (restore).
    pub added_bytes: u64,
    /// Bytes added to the repository as stored.
    pub stored_bytes: u64,
}

/// Listens to an operation. Called from many threads, often: implementations must be quick and must not block.
pub trait Progress: Send + Sync {
    /// A phase begins. Its amounts start at zero.
    fn begin(&self, _phase: Phase) {}
    /// More work has become known.
    fn add_total(&self, _amount: Amount) {}
    /// Nothing more will be added to the total of this phase.
    fn total_known(&self) {}
    /// Work has been done.
    fn advance(&self, _amount: Amount) {}
    /// Work on this path begins.
    fn current(&self, _path: &[u8]) {}
    /// An entry is finished.
    fn item(&self, _item: &Item<'_>) {}
    /// Something could not be read or written and the operation goes on without it; it makes the run partial.
    fn entry_error(&self, _path: &[u8], _during: &str, _error: &str) {}
    /// Something the user should know that does not make the run partial.
    fn warning(&self, _message: &str) {}
}

/// A listener that ignores everything.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {}
