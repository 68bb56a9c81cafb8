//! A pack that is being filled (design document, "Pack Format").

use bytes::Bytes;

use std::num::NonZeroU32;

use strongroom_kernel::Sha256;

use crate::crypto::MasterKey;
use crate::format::pack_header::{self, PackedBlob};
use crate::format::{BlobKind, Id};
use crate::{Error, ErrorKind, Result};
use strongroom_storage::{Buffer, Buffers};

/// A pack that is being filled, in memory.
#[derive(Debug)]
pub(super) struct OpenPack {
    kind: BlobKind,
    bytes: Buffer,
    blobs: Vec<PackedBlob>,
    /// The hash of the first `hashed` of the bytes.
    hash: Sha256,
    hashed: usize,
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
            hash: Sha256::new(),
            hashed: 0,
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

    /// The identifier of a content, which may become a blob of any pack. As much of this one as waits to be hashed and is
    /// no longer is hashed beside it: two hashes at once take hardly longer than one.
    pub fn hash_beside(&mut self, content: &[u8]) -> Id {
        let waiting = self.bytes.get(self.hashed..).unwrap_or_default();
        let piece = waiting.get(..content.len()).unwrap_or(waiting);
        let mut hash = Sha256::new();
        Sha256::update_many(&mut [(&mut hash, content), (&mut self.hash, piece)]);
        self.hashed = self.hashed.saturating_add(piece.len());
        Id::from_bytes(hash.finish())
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

    /// Adds the header and names the pack. Hashes what was not hashed yet: call it on a worker.
    pub fn finish(mut self, master: &MasterKey) -> Result<FinishedPack> {
        pack_header::append(master, &self.blobs, &mut self.bytes)?;
        self.hash
            .update(self.bytes.get(self.hashed..).unwrap_or_default());
        Ok(FinishedPack {
            id: Id::from_bytes(self.hash.finish()),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A pack under another name than its hash is damaged to every reader.
    #[test]
    fn a_pack_is_named_by_its_bytes_however_they_were_hashed() {
        let master = MasterKey::generate().unwrap();
        let buffers = Buffers::new(1, 1 << 24);
        for beside in [
            [0, 0, 0],
            [10, 70_000, 64],
            [200_000, 200_000, 200_000],
            [1, 63, 65],
        ] {
            let mut pack = OpenPack::new(BlobKind::Data, &buffers, 1 << 20);
            for (number, length) in beside.into_iter().enumerate() {
                let plain = vec![number as u8; 40_000 + number];
                let content = vec![b'c'; length];
                assert_eq!(pack.hash_beside(&content), Id::of(&content));
                let stored = pack.seal(&master, Id::of(&plain), &plain, None).unwrap();
                assert_eq!(stored as usize, plain.len() + crate::crypto::OVERHEAD);
            }
            let finished = pack.finish(&master).unwrap();
            assert_eq!(finished.id, Id::of(&finished.bytes));
        }
    }
}
