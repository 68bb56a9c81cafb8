//! A pack that is being filled (design document, "Pack Format").

use bytes::Bytes;

use std::num::NonZeroU32;

use crate::buffers::{Buffer, Buffers};
use crate::crypto::MasterKey;
use crate::format::pack_header::{self, PackedBlob};
use crate::format::{BlobKind, Id};
use crate::{Error, ErrorKind, Result};

/// A pack that is being filled, in memory.
#[derive(Debug)]
pub(super) struct OpenPack {
    kind: BlobKind,
    bytes: Buffer,
    blobs: Vec<PackedBlob>,
}

/// A pack that is ready to be stored.
#[derive(Debug, Clone)]
pub struct FinishedPack {
    /// Its name: the hash of its bytes.
    pub id: Id,
    /// What its blobs hold.
    pub kind: BlobKind,
    /// The file.
    pub bytes: Bytes,
    /// Its blobs in order.
    pub blobs: Vec<PackedBlob>,
}

impl OpenPack {
    /// An empty pack with room for `capacity_bytes`.
    pub fn new(kind: BlobKind, buffers: &Buffers, capacity_bytes: usize) -> Self {
        Self {
            kind,
            bytes: buffers.take_empty(capacity_bytes),
            blobs: Vec::new(),
        }
    }

    /// What its blobs hold.
    pub fn kind(&self) -> BlobKind {
        self.kind
    }

    /// Bytes of blobs so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Encrypts a blob into the pack; returns its bytes in the pack. On an error the pack is as before.
    ///
    /// `uncompressed_length` is `None` for a blob that is not compressed.
    pub fn seal(
        &mut self,
        master: &MasterKey,
        id: Id,
        plain: &[u8],
        uncompressed_length: Option<NonZeroU32>,
    ) -> Result<u32> {
        let begin = self.bytes.len();
        let sealed = master
            .seal_into(plain, &mut self.bytes)
            .map_err(Error::from);
        let noted = sealed.and_then(|()| self.note(id, begin, uncompressed_length));
        if noted.is_err() {
            self.bytes.truncate(begin);
        }
        noted
    }

    /// Takes a blob as it lies in another pack of a repository with the same master key.
    pub fn append(
        &mut self,
        id: Id,
        stored: &[u8],
        uncompressed_length: Option<NonZeroU32>,
    ) -> Result<u32> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(stored);
        let noted = self.note(id, begin, uncompressed_length);
        if noted.is_err() {
            self.bytes.truncate(begin);
        }
        noted
    }

    /// Moves all blobs of another pack behind those of this one.
    pub fn absorb(&mut self, other: &Self) -> Result<()> {
        for blob in &other.blobs {
            let begin = usize::try_from(blob.offset).unwrap_or(usize::MAX);
            let length = usize::try_from(blob.length).unwrap_or(usize::MAX);
            let stored = other
                .bytes
                .get(begin..begin.saturating_add(length))
                .ok_or_else(too_large)?;
            self.append(blob.id, stored, blob.uncompressed_length)?;
        }
        Ok(())
    }

    fn note(
        &mut self,
        id: Id,
        begin: usize,
        uncompressed_length: Option<NonZeroU32>,
    ) -> Result<u32> {
        let length =
            u32::try_from(self.bytes.len().saturating_sub(begin)).map_err(|_| too_large())?;
        let offset = u32::try_from(begin).map_err(|_| too_large())?;
        offset.checked_add(length).ok_or_else(too_large)?;
        self.blobs.push(PackedBlob {
            kind: self.kind,
            id,
            offset,
            length,
            uncompressed_length,
        });
        Ok(length)
    }

    /// Adds the header and names the pack. Hashes all of it: call it on a worker.
    pub fn finish(mut self, master: &MasterKey) -> Result<FinishedPack> {
        pack_header::append(master, &self.blobs, &mut self.bytes)?;
        Ok(FinishedPack {
            id: Id::of(&self.bytes),
            kind: self.kind,
            // The memory goes back when the storage lets go of it.
            bytes: Bytes::from_owner(self.bytes),
            blobs: self.blobs,
        })
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::Internal, "a pack would exceed 4 GiB")
}
