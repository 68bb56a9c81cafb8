//! A storage in a directory of this machine, or of whatever is mounted there.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - A file is written under a temporary name beside its final one (so on the same file system, also where a
//!   folder is a link to another disk), synced, given its final name in one step, and the folder is synced.
//! - [`crate::WriteMode::New`] is `renameat2(RENAME_NOREPLACE)`, else `link`; where a file system has neither
//!   (some FUSE mounts), it looks first and renames, and `atomic_new` is not promised from then on.
//! - Deletions are not synced one by one (a prune makes many), but those in one top-level folder are on disk
//!   before the first one in another happens: indexes are gone for good before the packs they named.
//! - Temporary names hold a `~`, which no [`crate::StoragePath`] can; those of restic end in `-tmp-` and digits,
//!   are hidden too, and cannot be written. Our own that are older than a day are removed by the first write
//!   after a listing has seen them; a process that only reads removes nothing.
//! - Files are read-only (0400) and folders private (0700); where the file `config` in the root can be read by its
//!   group, files and folders are for the group as well. restic does the same, so both can share a directory.
//!
//! Symbolic links are followed, to folders and to files: a repository whose `data` lives on another disk is in
//! real use. Whoever may place links into the directory may write to it anyway. A link to a folder that contains
//! itself is entered once.
//!
//! What is deliberately absent: the directory itself is made by [`crate::Storage::create`] alone, so that a write
//! to a disk that is not mounted fails instead of filling the disk below.
//!
//! Calls run on tokio's blocking threads. One that is dropped cannot be interrupted inside the system call; a write
//! stops before its next few megabytes, or before the final name.

mod failure;
mod folders;
mod location;
mod publish;
mod read;
mod removals;
mod storage;
mod temporary;
mod walk;
mod write;

pub(crate) use location::EXAMPLE;
pub use location::LocalLocation;
pub(crate) use read::{memory as read_memory, read as read_file, read_exact_at};
pub use storage::LocalStorage;
pub(crate) use temporary::Temporary;
pub(crate) use walk::walk as walk_files;
