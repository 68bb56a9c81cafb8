//! Where the files of a probe lie.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::run::random;
use crate::{ErrorKind, Operation, Result, Storage, StorageError, StoragePath};

/// What the names of folders of probes begin with.
const PREFIX: &str = "strongroom-test-";

/// The names of one probe.
#[derive(Debug)]
pub(super) struct Names {
    location: String,
    folder: String,
}

impl Names {
    pub(super) fn new(storage: &dyn Storage) -> Result<Self> {
        let location = storage.location();
        let letters = HEXLOWER.encode(&random(8, &location)?);
        Ok(Self {
            location,
            folder: format!("{PREFIX}{letters}"),
        })
    }

    /// The folder, where the storage can have it.
    pub(super) fn folder(&self) -> Result<StoragePath> {
        self.path(self.folder.clone())
    }

    /// A file in the folder.
    pub(super) fn in_folder(&self, label: &str) -> Result<StoragePath> {
        self.path(format!("{}/{label}", self.folder))
    }

    /// A pack of restic's layout with these bytes, as it has to be named.
    pub(super) fn pack(&self, data: &[u8]) -> Result<StoragePath> {
        let name = HEXLOWER.encode(&Sha256::digest(data));
        let shard = name.get(..2).unwrap_or_default();
        self.path(format!("data/{shard}/{name}"))
    }

    fn path(&self, text: String) -> Result<StoragePath> {
        let wrong = |e: crate::InvalidPath| {
            let (kind, operation) = (ErrorKind::Unsupported, Operation::Write);
            StorageError::new(kind, operation, &*self.location, None, e.to_string())
        };
        StoragePath::new(text).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::MemoryStorage;

    /// A probe that took somebody else's name would remove their file.
    #[test]
    fn names_are_of_the_layout_or_in_a_folder_that_no_other_probe_has() {
        let names = || Names::new(&MemoryStorage::new()).unwrap();
        let (one, other) = (names(), names());
        assert_ne!(one.folder().unwrap(), other.folder().unwrap());
        let file = one.in_folder("small").unwrap();
        assert!(file.is_below(&one.folder().unwrap()));
        let pack = one.pack(b"").unwrap();
        assert!(
            pack.as_str().starts_with("data/e3/e3b0c44298fc1c14"),
            "{pack}"
        );
    }
}
