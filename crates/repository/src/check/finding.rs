//! What a check can find.

use crate::format::{BlobKind, Id};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Something is missing or is not what was written.
    Error,
    /// Untidy, and harmless.
    Hint,
}

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, and which file or blob.
    pub kind: FindingKind,
    /// In words: one line.
    pub message: String,
}

/// What was found, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// The configuration is not what the repository was opened with, or cannot be read.
    Config,
    /// A key file cannot be read.
    Key {
        /// The key file.
        key: Id,
    },
    /// A lock cannot be read.
    LockUnreadable {
        /// The lock.
        lock: Id,
    },
    /// The holder of a lock is dead, or has not written it anew for too long.
    LockStale {
        /// The lock.
        lock: Id,
    },
    /// An index file cannot be read.
    Index {
        /// The index file.
        index: Id,
    },
    /// A snapshot cannot be read.
    Snapshot {
        /// The snapshot.
        snapshot: Id,
    },
    /// An entry of the trash cannot be read.
    TrashUnreadable {
        /// The snapshot that it is about.
        snapshot: Id,
    },
    /// A snapshot in the trash lacks something that is in no index: another program has pruned it away.
    TrashIncomplete {
        /// The snapshot.
        snapshot: Id,
    },
    /// A snapshot in the trash needs a tree that cannot be read.
    TrashDamaged {
        /// The snapshot.
        snapshot: Id,
    },
    /// A pack that the index names does not exist.
    PackMissing {
        /// The pack.
        pack: Id,
    },
    /// A pack is not as long as the index says.
    PackSize {
        /// The pack.
        pack: Id,
        /// By the index, header included.
        expected_bytes: u64,
        /// In the storage.
        actual_bytes: u64,
    },
    /// The hash of a pack is not its name.
    PackHash {
        /// The pack.
        pack: Id,
    },
    /// A pack's header cannot be read, or says something else than the index.
    PackHeader {
        /// The pack.
        pack: Id,
    },
    /// A pack cannot be read by the storage, though it exists.
    PackUnreadable {
        /// The pack.
        pack: Id,
    },
    /// No index names a pack.
    PackUnreferenced {
        /// The pack.
        pack: Id,
    },
    /// More than one index file describes a pack.
    PackInSeveralIndexes {
        /// The pack.
        pack: Id,
    },
    /// A pack holds data and trees, which slows down caches.
    PackMixed {
        /// The pack.
        pack: Id,
    },
    /// A blob's copy in a pack is not what was written.
    Blob {
        /// The pack.
        pack: Id,
        /// What the blob holds.
        kind: BlobKind,
        /// The blob.
        blob: Id,
    },
    /// A tree that a snapshot needs is in no index, or cannot be read from any pack.
    Tree {
        /// The tree.
        tree: Id,
    },
    /// An entry of a tree is not as it should be.
    Entry {
        /// The tree.
        tree: Id,
        /// Name of the entry, raw bytes.
        name: Vec<u8>,
        /// What is wrong.
        problem: EntryProblem,
    },
}

/// What is wrong with an entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryProblem {
    /// A file without a list of blobs.
    NoContent,
    /// Blobs of a file are in no index.
    MissingBlobs {
        /// How many.
        count: u64,
        /// One of them.
        first: Id,
    },
    /// The blobs of a file together have not its size.
    Size {
        /// By the entry.
        expected_bytes: u64,
        /// Of the blobs.
        actual_bytes: u64,
    },
    /// A directory without a tree.
    NoSubtree,
    /// Empty, `.`, `..`, or with a `/` or a zero byte.
    Name,
    /// Two entries have the same name.
    DuplicateName,
    /// An entry of a kind that this program does not know.
    UnknownKind,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match &self.kind {
            FindingKind::LockUnreadable { .. }
            | FindingKind::LockStale { .. }
            | FindingKind::PackUnreferenced { .. }
            | FindingKind::PackInSeveralIndexes { .. }
            | FindingKind::PackMixed { .. }
            | FindingKind::TrashIncomplete { .. }
            | FindingKind::Entry {
                problem: EntryProblem::DuplicateName,
                ..
            } => Severity::Hint,
            _ => Severity::Error,
        }
    }
}
