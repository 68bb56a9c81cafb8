//! What a backup is told.

use crate::format::{Id, Time};

/// How a backup is made, and what its snapshot says of it.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// The snapshot's time.
    pub time: Time,
    /// Name of the machine.
    pub hostname: String,
    /// Name of the user.
    pub username: String,
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// Absolute paths that are backed up.
    pub paths: Vec<String>,
    /// Patterns that are left out, for the record: the source applies them.
    pub excludes: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The program for the record: `strongroom 0.1.0`.
    pub program_version: String,
    /// The snapshot to compare with; its unchanged files are not read again.
    pub parent: Option<Id>,
    /// A change of ctime alone does not make a file changed.
    pub ignore_ctime: bool,
    /// A change of the inode number alone does not make a file changed.
    pub ignore_inode: bool,
    /// Publish no snapshot if its tree is the parent's.
    pub skip_if_unchanged: bool,
    /// Publish no snapshot if anything could not be read, since a part of it would be worth nothing
    /// ([`super::Source::all_or_nothing`]).
    pub all_or_nothing: bool,
    /// Do everything but store.
    pub dry_run: bool,
}
