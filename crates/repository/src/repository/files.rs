//! The files of a repository that are not packs: listed, read and written whole.

use bytes::Bytes;
use strongroom_storage::{ErrorKind as StorageKind, WriteMode};

use super::Repository;
use crate::error::Context;
use crate::file_kind::{FileEntry, FileKind, storage_path};
use crate::format::{Id, unpacked};
use crate::{Error, ErrorKind, Result};

impl Repository {
    /// All files of a kind, in no order. Names that are no identifier are ignored.
    pub async fn list(&self, kind: FileKind) -> Result<Vec<FileEntry>> {
        let folder = storage_path(kind.folder())?;
        let files = self
            .storage()
            .list(Some(&folder))
            .await
            .context(|| format!("list {} files", kind.noun()))?;
        Ok(files.iter().filter_map(FileKind::entry).collect())
    }

    /// The plain content of a file: decrypted, decompressed, its name checked against its hash.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::Damaged`] where it is not what was written.
    pub async fn load_file(&self, kind: FileKind, id: &Id) -> Result<Vec<u8>> {
        let stored = self.load_raw(kind, id).await?;
        let (id, this) = (*id, self.clone());
        self.workers()
            .run_beside(move || this.decode_file(kind, &id, &stored))
            .await?
            .context(|| format!("read {} {}", kind.noun(), id.short()))
    }

    /// A file as it is stored.
    pub async fn load_raw(&self, kind: FileKind, id: &Id) -> Result<Bytes> {
        let doing = || format!("load {} {}", kind.noun(), id.short());
        match self
            .storage()
            .read(&kind.path(id)?, None, kind.class())
            .await
        {
            Err(error) if error.kind == StorageKind::NotFound => Err(Error::new(
                ErrorKind::NotFound,
                format!("{} {} does not exist", kind.noun(), id),
            )),
            result => result.context(doing),
        }
    }

    pub(crate) fn decode_file(&self, kind: FileKind, id: &Id, stored: &[u8]) -> Result<Vec<u8>> {
        if Id::of(stored) != *id {
            return Err(Error::damaged("the content does not match the name"));
        }
        if kind == FileKind::Key {
            return Ok(stored.to_vec());
        }
        let plain = self.master().open(stored)?;
        Ok(unpacked::decode(
            self.config().version,
            plain,
            unpacked::LENGTH_MAX,
        )?)
    }

    /// Encrypts and stores a file; returns its name.
    pub async fn save_file(&self, kind: FileKind, plain: Vec<u8>) -> Result<Id> {
        let stored = self.encode_beside(plain).await?;
        let id = Id::of(&stored);
        let path = kind.path(&id)?;
        self.storage()
            .write(&path, Bytes::from(stored), WriteMode::New, kind.class())
            .await
            .context(|| format!("save {} {}", kind.noun(), id.short()))?;
        Ok(id)
    }

    /// Encrypts on the threads for that.
    pub(super) async fn encode_beside(&self, plain: Vec<u8>) -> Result<Vec<u8>> {
        let this = self.clone();
        self.workers()
            .run_beside(move || this.encode_file(&plain))
            .await?
    }

    pub(crate) fn encode_file(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let plain = unpacked::encode(self.config().version, plain)?;
        let mut stored = Vec::with_capacity(plain.len().saturating_add(32));
        self.master().seal_into(&plain, &mut stored)?;
        Ok(stored)
    }

    /// Removes a file. One that is gone already is no error: somebody else removed it.
    pub async fn delete_file(&self, kind: FileKind, id: &Id) -> Result<()> {
        match self.storage().delete(&kind.path(id)?).await {
            Err(error) if error.kind == StorageKind::NotFound => {}
            result => result.context(|| format!("delete {} {}", kind.noun(), id.short()))?,
        }
        self.note_removed(kind, id);
        Ok(())
    }
}
