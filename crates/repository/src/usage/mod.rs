//! Which blobs the snapshots use, and which blobs a pack holds: what check, prune and copy all need to know.
//!
//! Memory: one bit a blob for each set, and four bytes a blob where blobs are grouped by pack. Nothing here holds a map
//! of identifiers, so that the index remains by far the largest thing in memory.

mod bitmap;
mod contents;
mod index_files;
mod marks;
mod read;
mod shape;
mod store;
mod transfer;
mod trees;

pub(crate) use bitmap::Bitmap;
pub(crate) use contents::PackContents;
pub(crate) use index_files::IndexFiles;
pub(crate) use marks::{Marks, find_used, find_used_beside};
pub(crate) use read::{ReadBlob, read_blobs};
pub(crate) use shape::{PackShape, pack_shapes};
pub(crate) use store::Storer;
pub(crate) use transfer::Transfer;
pub(crate) use trees::{visit_more_trees, visit_trees};

use strongroom_storage::{ErrorKind as StorageKind, Retry, StorageError};

use crate::{Error, ErrorKind};

/// Whether the error is about one file or blob that is missing or damaged, and not about the storage or the process: a
/// disk that cannot read a sector says it as an input or output error that a retry does not mend.
pub(crate) fn is_damage(error: &Error) -> bool {
    match error.storage() {
        Some(error) => is_bad_file(error),
        None => matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotFound),
    }
}

/// Whether a storage's error is about the bytes of one file, and will be the next time too.
pub(crate) fn is_bad_file(error: &StorageError) -> bool {
    matches!(error.kind, StorageKind::Io | StorageKind::Mismatch) && error.retry == Retry::Never
}
