//! Files of ours beside restic's: trash, signatures, parity, quarantine, receipts.
//!
//! They lie below `strongroom/`, which restic ignores, and nothing that is backed up depends on them: they may be
//! deleted without harm to the data. A storage may be unable to hold them ([`Capabilities::own_folders`]); whoever needs
//! them asks [`Repository::require_own_folders`] before the first change.
//!
//! What a file holds is the matter of whoever writes it, encrypted ([`Repository::seal_own`]) or not. Names are chosen by
//! the writer; a listing gives those of one folder, deeper ones with `/` between their parts.
//!
//! [`Capabilities::own_folders`]: strongroom_storage::Capabilities

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind as StorageKind, Storage, StoragePath, WriteMode};

use crate::error::Context;
use crate::file_kind::storage_path;
use crate::format::unpacked;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A folder of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnFolder {
    /// Snapshots that were forgotten and can still be brought back.
    Trash,
    /// Who published and removed which snapshot.
    Signatures,
    /// What brings damaged and lost files back.
    Parity,
    /// Damaged files that a repair has put aside.
    Quarantine,
    /// When the server of the repository received each snapshot; written by that server alone.
    Receipts,
}

/// A file in a folder of ours, as a listing gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// Its name inside the folder.
    pub name: String,
    /// Its size as stored.
    pub size_bytes: u64,
}

impl OwnFolder {
    /// Every folder of ours.
    pub const ALL: [Self; 5] = [
        Self::Trash,
        Self::Signatures,
        Self::Parity,
        Self::Quarantine,
        Self::Receipts,
    ];

    /// Where it lies in the storage.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Trash => "strongroom/trash",
            Self::Signatures => "strongroom/signatures",
            Self::Parity => "strongroom/parity",
            Self::Quarantine => "strongroom/quarantine",
            Self::Receipts => "strongroom/receipts",
        }
    }

    /// The word for messages: what a storage has to hold.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Signatures => "signatures",
            Self::Parity => "parity",
            Self::Quarantine => "quarantine",
            Self::Receipts => "receipts",
        }
    }

    /// The place of a file in it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for a name that no storage takes.
    pub fn file(self, name: &str) -> Result<StoragePath> {
        storage_path(format!("{}/{name}", self.path()))
    }

    /// Fails where a storage cannot hold files of ours.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]
    pub fn require(self, storage: &dyn Storage) -> Result<()> {
        if storage.capabilities().own_folders {
            return Ok(());
        }
        let message = format!("{} cannot hold {}", storage.location(), self.noun());
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// The files in it, in no order. Empty where the storage cannot hold any.
    pub async fn list(self, storage: &dyn Storage) -> Result<Vec<OwnFile>> {
        if !storage.capabilities().own_folders {
            return Ok(Vec::new());
        }
        let folder = storage_path(self.path())?;
        let files = storage
            .list(Some(&folder))
            .await
            .context(|| format!("list {}", self.noun()))?;
        let own = |file: &strongroom_storage::FileInfo| {
            let name = file.path.as_str().strip_prefix(self.path())?;
            Some(OwnFile {
                name: name.strip_prefix('/')?.to_owned(),
                size_bytes: file.size_bytes,
            })
        };
        Ok(files.iter().filter_map(own).collect())
    }

    /// A file in it, as stored.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none.
    pub async fn read(self, storage: &dyn Storage, name: &str) -> Result<Bytes> {
        match storage.read(&self.file(name)?, None, self.class()).await {
            Err(error) if error.kind == StorageKind::NotFound => {
                let message = format!("there is no {name} in {}", self.noun());
                Err(Error::new(ErrorKind::NotFound, message))
            }
            result => result.context(|| format!("read {name} of {}", self.noun())),
        }
    }

    /// Stores a file in it.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the storage cannot hold it; the storage's.
    pub async fn write(
        self,
        storage: &dyn Storage,
        name: &str,
        data: Bytes,
        mode: WriteMode,
    ) -> Result<()> {
        self.require(storage)?;
        storage
            .write(&self.file(name)?, data, mode, self.class())
            .await
            .context(|| format!("save {name} of {}", self.noun()))
    }

    /// Removes a file. One that is gone already is no error.
    pub async fn delete(self, storage: &dyn Storage, name: &str) -> Result<()> {
        match storage.delete(&self.file(name)?).await {
            Err(error) if error.kind == StorageKind::NotFound => Ok(()),
            result => result.context(|| format!("delete {name} of {}", self.noun())),
        }
    }

    const fn class(self) -> Class {
        match self {
            Self::Trash | Self::Signatures | Self::Receipts => Class::Metadata,
            Self::Parity | Self::Quarantine => Class::Data,
        }
    }
}

impl Repository {
    /// Fails where the storage cannot hold this folder: called before anything is changed.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]
    pub fn require_own_folders(&self, folder: OwnFolder) -> Result<()> {
        folder.require(&**self.storage())
    }

    /// The files in a folder of ours, in no order.
    pub async fn list_own(&self, folder: OwnFolder) -> Result<Vec<OwnFile>> {
        folder.list(&**self.storage()).await
    }

    /// A file of ours, as stored.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none.
    pub async fn read_own(&self, folder: OwnFolder, name: &str) -> Result<Bytes> {
        folder.read(&**self.storage(), name).await
    }

    /// Stores a file of ours as it is given.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the storage cannot hold it; the storage's.
    pub async fn write_own(
        &self,
        folder: OwnFolder,
        name: &str,
        data: Bytes,
        mode: WriteMode,
    ) -> Result<()> {
        folder.write(&**self.storage(), name, data, mode).await
    }

    /// Removes a file of ours. One that is gone already is no error.
    pub async fn delete_own(&self, folder: OwnFolder, name: &str) -> Result<()> {
        folder.delete(&**self.storage(), name).await
    }

    /// Encrypts a record for a file of ours, as restic's own small files are.
    pub fn seal_own(&self, plain: &[u8]) -> Result<Vec<u8>> {
        self.encode_file(plain)
    }

    /// Decrypts what [`Self::seal_own`] made.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] if it is not what was written with this repository's key.
    pub fn open_own(&self, stored: &[u8]) -> Result<Vec<u8>> {
        let plain = self.master().open(stored)?;
        let version = self.config().version;
        Ok(unpacked::decode(version, plain, unpacked::LENGTH_MAX)?)
    }
}
