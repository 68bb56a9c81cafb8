//! Reading blobs.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use strongroom_kernel::Sha256;
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
        let blob = StoredBlob {
            id: *id,
            location: *location,
            stored,
        };
        let (mut compressed, mut content) = (Vec::new(), Vec::new());
        self.open_blob(&blob, &mut compressed, &mut content)
            .and_then(|content| match Id::of(content) == *id {
                true => Ok(()),
                false => Err(wrong_hash()),
            })
            .context(|| blob.name())?;
        Ok(content)
    }

    /// Decodes blobs one behind the other and hands each to `take` with its number, in their order: its content, or
    /// [`ErrorKind::Damaged`] if it is not what was stored. Keeps a core busy: call it on a worker.
    ///
    /// Several are decoded before the first is handed over, since hashes are computed faster together.
    pub fn decode_blobs(
        &self,
        memory: &mut BlobMemory,
        blobs: &[StoredBlob<'_>],
        take: impl FnMut(usize, Result<&[u8]>),
    ) {
        self.decode_blobs_beside(memory, blobs, &mut RunningHash::default(), take);
    }

    /// [`Repository::decode_blobs`], while the hash of what holds them goes on: a stretch of it with each group, since two long
    /// hashes side by side take little longer than one.
    pub(crate) fn decode_blobs_beside(
        &self,
        memory: &mut BlobMemory,
        blobs: &[StoredBlob<'_>],
        whole: &mut RunningHash<'_>,
        mut take: impl FnMut(usize, Result<&[u8]>),
    ) {
        let mut begin = 0;
        while let Some(rest) = blobs.get(begin..).filter(|rest| !rest.is_empty()) {
            let (group, _) = rest.split_at(group_length(rest));
            let BlobMemory {
                compressed,
                contents,
            } = memory.with_room_for(group.len());
            let opened: Vec<Result<&[u8]>> = group
                .iter()
                .zip(contents)
                .map(|(blob, content)| self.open_blob(blob, compressed, content))
                .collect();
            let contents: Vec<&[u8]> = opened.iter().flatten().copied().collect();
            let stretch = group.iter().map(|blob| blob.stored.len()).sum();
            let mut hashes = whole.advance(stretch, &contents).into_iter();
            for (number, (blob, content)) in (begin..).zip(group.iter().zip(opened)) {
                let content = content.and_then(|content| {
                    let hash = hashes.next().map(Id::from_bytes);
                    (hash == Some(blob.id))
                        .then_some(content)
                        .ok_or_else(wrong_hash)
                });
                take(number, content.context(|| blob.name()));
            }
            begin = begin.saturating_add(group.len());
        }
    }

    /// Decrypts and decompresses a blob. Its hash is not checked.
    fn open_blob<'a>(
        &self,
        blob: &StoredBlob<'_>,
        compressed: &mut Vec<u8>,
        content: &'a mut Vec<u8>,
    ) -> Result<&'a [u8]> {
        match blob.location.uncompressed_length {
            Some(length) => {
                let length = usize::try_from(length.get()).unwrap_or(usize::MAX);
                self.master().open_into(blob.stored, compressed)?;
                compression::decompress_into(compressed, length, content)?;
            }
            None => self.master().open_into(blob.stored, content)?,
        }
        Ok(content)
    }
}

/// A blob as it was read from a pack.
#[derive(Debug, Clone, Copy)]
pub struct StoredBlob<'a> {
    /// Its identifier.
    pub id: Id,
    /// Where it was read.
    pub location: Location,
    /// What was read.
    pub stored: &'a [u8],
}

impl StoredBlob<'_> {
    fn name(&self) -> String {
        format!(
            "blob {} in pack {}",
            self.id.short(),
            self.location.pack.short()
        )
    }
}

/// Memory to decode blobs in, used over and over.
///
/// Memory that is taken and given back for each blob costs more than decrypting it: the system hands it out anew, page by
/// page. It is given back where it has grown past [`KEPT_BYTES`], since large blobs lay in other places each time.
#[derive(Debug, Default)]
pub struct BlobMemory {
    compressed: Vec<u8>,
    contents: Vec<Vec<u8>>,
}

/// The hash of data that is at hand, computed stretch by stretch beside other hashes.
#[derive(Default)]
pub(crate) struct RunningHash<'a> {
    hash: Sha256,
    rest: &'a [u8],
}

impl<'a> RunningHash<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self {
            hash: Sha256::new(),
            rest: data,
        }
    }

    /// Takes in the next bytes, as many as there are at most, and returns the hashes of `messages`.
    fn advance(&mut self, bytes: usize, messages: &[&[u8]]) -> Vec<[u8; 32]> {
        let (now, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        self.hash.update_beside(now, messages)
    }

    /// The hash of all of the data.
    pub(crate) fn finish(mut self) -> Id {
        self.hash.update(self.rest);
        Id::from_bytes(self.hash.finish())
    }
}

/// What the jobs of one operation decode in, as long as none does: never more than there were jobs at once.
#[derive(Debug, Default)]
pub(crate) struct IdleMemory(Mutex<Vec<BlobMemory>>);

impl IdleMemory {
    /// Runs a job with memory that an earlier one left.
    pub(crate) fn lend<R>(&self, job: impl FnOnce(&mut BlobMemory) -> R) -> R {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = idle().pop().unwrap_or_default();
        let result = job(&mut memory);
        idle().push(memory);
        result
    }
}

impl BlobMemory {
    fn with_room_for(&mut self, blobs: usize) -> &mut Self {
        let kept: usize = self.contents.iter().map(Vec::capacity).sum();
        if kept > KEPT_BYTES {
            self.contents.clear();
        }
        if self.contents.len() < blobs {
            self.contents.resize_with(blobs, Vec::new);
        }
        self
    }
}

/// Blobs whose hashes are computed together: as many as there are lanes.
const GROUP_BLOBS: usize = 16;

/// Bytes of content that are decoded before they are handed over; a single blob may have more. Large blobs differ too much in
/// length to fill lanes, and two at a time are as good.
const GROUP_BYTES: u64 = 4 << 20;

/// Memory for contents that is kept: the largest blob of a file, 8 MiB, in the first place, half as much in the second, and so on.
const KEPT_BYTES: usize = 16 << 20;

/// How many blobs from the first on are decoded together; at least one.
fn group_length(blobs: &[StoredBlob<'_>]) -> usize {
    let mut bytes: u64 = 0;
    let fits = blobs.iter().take(GROUP_BLOBS).take_while(|blob| {
        bytes = bytes.saturating_add(u64::from(blob.location.plain_length()));
        bytes <= GROUP_BYTES
    });
    fits.count().max(1)
}

fn wrong_hash() -> Error {
    Error::damaged("the content does not match the identifier")
}

/// Decodes a tree. Keeps a core busy: call it on a worker.
pub(crate) fn decode_tree(id: &Id, content: &[u8]) -> Result<Tree> {
    Tree::decode(content).map_err(|error| Error::damaged(format!("tree {}: {error}", id.short())))
}
