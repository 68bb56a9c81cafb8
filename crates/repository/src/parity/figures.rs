//! A plan and what became of it, in numbers.

use serde::Serialize;

/// A plan in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ParityFigures {
    /// Files in groups that stay.
    pub files_protected: u64,
    /// Their bytes.
    pub bytes_protected: u64,
    /// Files in groups to make.
    pub files_to_protect: u64,
    /// Their bytes: all of them are read.
    pub bytes_to_read: u64,
    /// Bytes of parity to write.
    pub bytes_to_write: u64,
    /// Bytes of parity afterwards.
    pub parity_bytes: u64,
    /// Groups to make.
    pub groups_new: u64,
    /// Groups that go, since others take their place or since none of their members is left.
    pub groups_replaced: u64,
    /// Groups that stay.
    pub groups_kept: u64,
    /// Groups that protect nothing, since their descriptor cannot be read.
    pub groups_unreadable: u64,
    /// Protected files that are gone or have another size, and nothing explains why.
    pub files_missing: u64,
    /// Files that are empty or too large.
    pub files_unprotectable: u64,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ParityReport {
    /// Groups that were made.
    pub groups_made: u64,
    /// Groups that were removed.
    pub groups_removed: u64,
    /// Files that are newly protected, or in a new group.
    pub files_protected: u64,
    /// Files that were left out since they are not what their names say.
    pub files_damaged: u64,
    /// Bytes of parity that were written.
    pub bytes_written: u64,
}
