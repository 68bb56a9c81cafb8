//! The parts of a repository in the order in which their files may appear.

use strongroom_storage::{Class, FileInfo, Storage, StoragePath};

use crate::error::Context;
use crate::file_kind::{FileKind, storage_path};
use crate::format::Id;
use crate::own_files::OwnFolder;
use crate::{ErrorKind, Result};

/// A folder of a repository.
///
/// The order is that of publishing: whatever a file needs lies in an earlier part. The configuration comes before all of
/// them and is looked at alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    Keys,
    Packs,
    Parity,
    Quarantine,
    Index,
    Trash,
    Snapshots,
    Signatures,
}

impl Part {
    /// All of them, in that order.
    pub const ALL: [Self; 8] = [
        Self::Keys,
        Self::Packs,
        Self::Parity,
        Self::Quarantine,
        Self::Index,
        Self::Trash,
        Self::Snapshots,
        Self::Signatures,
    ];

    /// The kind of its files, where their names are the hashes of their contents.
    pub const fn kind(self) -> Option<FileKind> {
        match self {
            Self::Keys => Some(FileKind::Key),
            Self::Packs => Some(FileKind::Pack),
            Self::Index => Some(FileKind::Index),
            Self::Snapshots => Some(FileKind::Snapshot),
            Self::Parity | Self::Quarantine | Self::Trash | Self::Signatures => None,
        }
    }

    /// The folder of ours that it is, if it is none of restic's.
    pub const fn own(self) -> Option<OwnFolder> {
        match self {
            Self::Parity => Some(OwnFolder::Parity),
            Self::Quarantine => Some(OwnFolder::Quarantine),
            Self::Trash => Some(OwnFolder::Trash),
            Self::Signatures => Some(OwnFolder::Signatures),
            Self::Keys | Self::Packs | Self::Index | Self::Snapshots => None,
        }
    }

    /// Whether a file may get another content of the same length under its name: then lengths tell nothing.
    pub const fn is_rewritten(self) -> bool {
        matches!(self, Self::Trash)
    }

    /// The class of its files.
    pub const fn class(self) -> Class {
        match self {
            Self::Packs | Self::Parity | Self::Quarantine => Class::Data,
            _ => Class::Metadata,
        }
    }

    fn folder(self) -> Result<StoragePath> {
        match (self.kind(), self.own()) {
            (Some(kind), _) => storage_path(kind.folder()),
            (None, Some(own)) => storage_path(own.path()),
            (None, None) => Err(crate::Error::new(
                ErrorKind::Internal,
                "a part of a repository without a folder",
            )),
        }
    }

    /// Its files in a storage, by name. Empty where the storage cannot hold this part; files that are no repository's are
    /// left out.
    pub async fn list(self, storage: &dyn Storage) -> Result<Vec<FileInfo>> {
        if self.own().is_some() && !storage.capabilities().own_folders {
            return Ok(Vec::new());
        }
        let folder = self.folder()?;
        let mut files = storage
            .list(Some(&folder))
            .await
            .context(|| format!("list {folder} of {}", storage.location()))?;
        files.retain(|file| self.has(&file.path));
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Whether a file below the folder is one of this part, and not somebody's note.
    fn has(self, path: &StoragePath) -> bool {
        let Some(kind) = self.kind() else {
            return true;
        };
        let id = path.file_name().parse::<Id>();
        id.is_ok_and(|id| kind.path(&id).is_ok_and(|expected| expected == *path))
    }

    /// Whether a content is what the name says; of names that say nothing, always.
    pub fn is_whole(self, path: &StoragePath, content: &[u8]) -> bool {
        match self.kind() {
            Some(_) => path.file_name().parse() == Ok(Id::of(content)),
            None => true,
        }
    }
}
