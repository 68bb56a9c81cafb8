//! Reading blobs.

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class, ErrorKind as StorageKind};

use super::Repository;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{BlobKind, Id, Tree};
use crate::index::{Index, Location};
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result, compression};

impl Repository {
    /// The content of a blob, its hash checked. Where a blob is stored more than once and one copy is damaged, the
    /// next one is taken.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the index does not name it, [`ErrorKind::Damaged`] if no copy is whole; the storage's if
    /// it could not be asked for one of them and no other is whole.
    pub async fn load_blob(&self, index: &Index, kind: BlobKind, id: &Id) -> Result<Vec<u8>> {
        let mut failure = None;
        for location in index.locate_all(kind, id) {
            match self.load_blob_at(kind, id, &location).await {
                Ok(content) => return Ok(content),
                // A copy that is damaged says nothing of one that could not be asked for: that one may be whole.
                Err(error) if failure.as_ref().is_none_or(is_damage) => failure = Some(error),
                Err(_) => {}
            }
        }
        Err(failure.unwrap_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("{kind} blob {id} is in no index"),
            )
        }))
    }

    /// The content of a blob from one place.
    pub async fn load_blob_at(
        &self,
        kind: BlobKind,
        id: &Id,
        location: &Location,
    ) -> Result<Vec<u8>> {
        let stored = self.load_blob_raw(kind, location).await?;
        let (id, location, this) = (*id, *location, self.clone());
        self.workers()
            .run(move || this.decode_blob(&id, &location, &stored))
            .await?
    }

    /// The tree with this identifier.
    pub async fn load_tree(&self, index: &Index, id: &Id) -> Result<Tree> {
        let content = self.load_blob(index, BlobKind::Tree, id).await?;
        let id = *id;
        self.workers()
            .run(move || decode_tree(&id, &content))
            .await?
    }

    /// A blob as it is stored.
    pub async fn load_blob_raw(&self, kind: BlobKind, location: &Location) -> Result<Bytes> {
        let range = ByteRange {
            offset: u64::from(location.offset),
            length: u64::from(location.length),
        };
        self.load_pack_range(kind, &location.pack, Some(range))
            .await
    }

    /// A range of a pack that holds blobs of this kind, or all of it.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] where the pack is missing or too short.
    pub async fn load_pack_range(
        &self,
        kind: BlobKind,
        pack: &Id,
        range: Option<ByteRange>,
    ) -> Result<Bytes> {
        let class = match kind {
            BlobKind::Data => Class::Data,
            BlobKind::Tree => Class::Metadata,
        };
        let doing = || format!("load from pack {}", pack.short());
        match self
            .storage()
            .read(&FileKind::Pack.path(pack)?, range, class)
            .await
        {
            Err(error)
                if matches!(
                    error.kind,
                    StorageKind::NotFound | StorageKind::RangeOutside
                ) =>
            {
                let what = if error.kind == StorageKind::NotFound {
                    "is missing"
                } else {
                    "is too short"
                };
                Err(Error::damaged(format!("pack {pack} {what}")))
            }
            result => result.context(doing),
        }
    }

    /// Decrypts and decompresses a blob and checks its hash. Keeps a core busy: call it on a worker.
    pub fn decode_blob(&self, id: &Id, location: &Location, stored: &[u8]) -> Result<Vec<u8>> {
        let mut memory = BlobMemory::default();
        self.decode_blob_in(&mut memory, id, location, stored)?;
        Ok(memory.into_content(location))
    }

    /// The same in memory that was used before, for content that is looked at and not kept.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] if the blob is not what was stored.
    pub fn decode_blob_in<'a>(
        &self,
        memory: &'a mut BlobMemory,
        id: &Id,
        location: &Location,
        stored: &[u8],
    ) -> Result<&'a [u8]> {
        let doing = || format!("blob {} in pack {}", id.short(), location.pack.short());
        self.master()
            .open_into(stored, &mut memory.plain)
            .map_err(Error::from)
            .context(doing)?;
        let content = match location.uncompressed_length {
            Some(length) => {
                let length = usize::try_from(length.get()).unwrap_or(usize::MAX);
                compression::decompress_into(&memory.plain, length, &mut memory.decompressed)
                    .context(doing)?;
                &memory.decompressed
            }
            None => &memory.plain,
        };
        if Id::of(content) != *id {
            return Err(Error::damaged("the content does not match the identifier")).context(doing);
        }
        Ok(content)
    }
}

/// Memory to decode blobs in, one after the other.
///
/// Memory that is taken and given back for each blob costs more than decrypting it: the system hands it out anew, page by
/// page. It grows to the largest blob, twice.
#[derive(Debug, Default)]
pub struct BlobMemory {
    plain: Vec<u8>,
    decompressed: Vec<u8>,
}

impl BlobMemory {
    fn into_content(self, location: &Location) -> Vec<u8> {
        match location.uncompressed_length {
            Some(_) => self.decompressed,
            None => self.plain,
        }
    }
}

/// Decodes a tree. Keeps a core busy: call it on a worker.
pub(crate) fn decode_tree(id: &Id, content: &[u8]) -> Result<Tree> {
    Tree::decode(content).map_err(|error| Error::damaged(format!("tree {}: {error}", id.short())))
}
