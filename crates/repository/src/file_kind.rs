//! The kinds of files in a repository and their places in the storage (design document, "Repository Layout").

use strongroom_storage::{Class, FileInfo, StoragePath};

use crate::format::Id;
use crate::{Error, ErrorKind, Result};

/// A kind of file that is named by the hash of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Packs of blobs.
    Pack,
    /// Which blob lies in which pack.
    Index,
    /// Snapshots.
    Snapshot,
    /// Passwords' access to the master key.
    Key,
    /// Locks of running processes.
    Lock,
}

/// A file of a repository, as a listing gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub id: Id,
    /// Its size as stored.
    pub size_bytes: u64,
}

impl FileKind {
    /// The folder of the kind.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Pack => "data",
            Self::Index => "index",
            Self::Snapshot => "snapshots",
            Self::Key => "keys",
            Self::Lock => "locks",
        }
    }

    /// The word for messages.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Index => "index",
            Self::Snapshot => "snapshot",
            Self::Key => "key",
            Self::Lock => "lock",
        }
    }

    /// The class of files of this kind other than packs.
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::Pack => Class::Data,
            _ => Class::Metadata,
        }
    }

    /// Where the file lies: packs in one of 256 folders, the others flat.
    pub fn path(self, id: &Id) -> Result<StoragePath> {
        let name = id.to_hex();
        let path = match self {
            Self::Pack => format!("data/{}/{name}", name.get(..2).unwrap_or_default()),
            _ => format!("{}/{name}", self.folder()),
        };
        storage_path(path)
    }

    /// The file that a listing shows, if its name is one of this kind.
    pub(crate) fn entry(file: &FileInfo) -> Option<FileEntry> {
        let id = file.path.file_name().parse().ok()?;
        Some(FileEntry {
            id,
            size_bytes: file.size_bytes,
        })
    }
}

/// The path of the configuration.
pub(crate) fn config_path() -> Result<StoragePath> {
    storage_path("config")
}

/// A path that is known to be valid; the error cannot happen and is typed all the same.
pub(crate) fn storage_path(path: impl Into<String>) -> Result<StoragePath> {
    StoragePath::new(path).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}
