//! The files that parity protects: their places in the storage, and a listing of them.

use std::collections::HashMap;

use strongroom_storage::{Class, ErrorKind as StorageKind, Storage, StoragePath};

use crate::error::Context;
use crate::file_kind::{FileKind, config_path, storage_path};
use crate::format::Id;
use crate::format::parity::{ParityMember, ParityMemberKind};
use crate::usage::is_bad_file;
use crate::{Error, Result};

/// What a member is known by.
pub(super) type Name = (ParityMemberKind, Id);

/// The kinds that are listed; `config` is one file.
const LISTED: [FileKind; 4] = [
    FileKind::Key,
    FileKind::Snapshot,
    FileKind::Index,
    FileKind::Pack,
];

impl ParityMemberKind {
    /// The member kind of a file; locks have none, since they come and go.
    pub fn of(kind: FileKind) -> Option<Self> {
        match kind {
            FileKind::Key => Some(Self::Key),
            FileKind::Snapshot => Some(Self::Snapshot),
            FileKind::Index => Some(Self::Index),
            FileKind::Pack => Some(Self::Pack),
            FileKind::Lock => None,
        }
    }

    /// The word for messages.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => FileKind::Key.noun(),
            Self::Snapshot => FileKind::Snapshot.noun(),
            Self::Index => FileKind::Index.noun(),
            Self::Pack => FileKind::Pack.noun(),
        }
    }

    /// Where such a file lies.
    pub(super) fn path(self, id: &Id) -> Result<StoragePath> {
        match self {
            Self::Config => config_path(),
            Self::Key => FileKind::Key.path(id),
            Self::Snapshot => FileKind::Snapshot.path(id),
            Self::Index => FileKind::Index.path(id),
            Self::Pack => FileKind::Pack.path(id),
        }
    }

    pub(super) const fn class(self) -> Class {
        match self {
            Self::Pack => Class::Data,
            _ => Class::Metadata,
        }
    }
}

/// What a member is known by.
pub(super) fn name(member: &ParityMember) -> Name {
    (member.kind, member.id)
}

/// Everything that parity may protect, with its size.
#[derive(Debug, Clone, Default)]
pub(super) struct Present {
    pub sizes: HashMap<Name, u64>,
    /// The hash of `config` as it is now.
    pub config: Option<Id>,
}

impl Present {
    /// Lists the storage, and reads `config`.
    pub async fn survey(storage: &dyn Storage) -> Result<Self> {
        let mut present = Self::default();
        for kind in LISTED {
            let Some(member_kind) = ParityMemberKind::of(kind) else {
                continue;
            };
            let folder = storage_path(kind.folder())?;
            let files = storage
                .list(Some(&folder))
                .await
                .context(|| format!("list {} files", kind.noun()))?;
            for file in &files {
                let Some(entry) = FileKind::entry(file) else {
                    continue;
                };
                // A copy in another folder is not the file.
                if kind.path(&entry.id)? == file.path {
                    let name = (member_kind, entry.id);
                    present.sizes.insert(name, entry.size_bytes);
                }
            }
        }
        if let Some(config) = read_config(storage).await? {
            let id = Id::of(&config);
            let name = (ParityMemberKind::Config, id);
            present.sizes.insert(name, config.len() as u64);
            present.config = Some(id);
        }
        Ok(present)
    }
}

/// `config` as it is stored; `None` where there is none, or where its bytes cannot be read at all.
pub(super) async fn read_config(storage: &dyn Storage) -> Result<Option<bytes::Bytes>> {
    match storage.read(&config_path()?, None, Class::Metadata).await {
        Ok(stored) => Ok(Some(stored)),
        Err(error) if error.kind == StorageKind::NotFound || is_bad_file(&error) => Ok(None),
        Err(error) => Err(Error::from(error).context("load config")),
    }
}
