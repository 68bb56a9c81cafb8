//! What a pack really holds.

use bytes::Bytes;
use strongroom_storage::ByteRange;

use crate::file_kind::FileEntry;
use crate::format::pack_header::{self, PackedBlob};
use crate::format::{BlobKind, Id};
use crate::index::Location;
use crate::repository::Repository;
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result};

/// What was found in a pack by reading all of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Examined {
    /// Blobs that are what they are said to be, in the order of their offsets.
    pub whole: Vec<PackedBlob>,
    /// Blobs that header or index name and that are not.
    pub lost: Vec<PackedBlob>,
    /// The pack is not what was written: its header or its name do not fit its content.
    pub is_damaged: bool,
}

/// Reads a pack and tries every blob that its header or the index (`indexed`) names.
///
/// # Errors
/// The storage's. A pack that cannot be read, or only in parts, is no error.
pub(super) async fn examine(
    repository: &Repository,
    file: FileEntry,
    indexed: &[PackedBlob],
) -> Result<Examined> {
    let header = match repository.load_pack_header(&file.id, file.size_bytes).await {
        Err(error) if is_damage(&error) => None,
        header => Some(header?),
    };
    let mut named: Vec<PackedBlob> = indexed.to_vec();
    for blob in header.iter().flatten() {
        if !indexed.contains(blob) {
            named.push(*blob);
        }
    }
    named.sort_unstable_by_key(|blob| (blob.offset, blob.length));
    let kind = named.first().map_or(BlobKind::Data, |blob| blob.kind);
    let content = match repository.load_pack_range(kind, &file.id, None).await {
        Err(error) if is_damage(&error) => None,
        content => Some(content?),
    };
    let (is_named_right, tried) = match content {
        Some(content) => {
            let (this, id) = (repository.clone(), file.id);
            let blobs = named.clone();
            let job = move || {
                let is_named_right = Id::of(&content) == id;
                let is_whole = |blob: &PackedBlob| {
                    let stored = slice(&content, blob);
                    decode(&this, id, blob, &stored).is_ok()
                };
                (
                    is_named_right,
                    blobs.iter().map(is_whole).collect::<Vec<bool>>(),
                )
            };
            repository.workers().run(job).await?
        }
        // A bad sector: what lies beside it may be readable.
        None => (false, try_each(repository, file.id, &named).await?),
    };
    let mut examined = Examined::default();
    for (blob, is_whole) in named.into_iter().zip(tried) {
        match is_whole {
            true => examined.whole.push(blob),
            false => examined.lost.push(blob),
        }
    }
    examined.is_damaged = !is_named_right
        || header.is_none_or(|header| {
            header_size(&header) != file.size_bytes
                || examined.lost.iter().any(|blob| header.contains(blob))
        });
    Ok(examined)
}

/// Size of a pack with this header.
fn header_size(header: &[PackedBlob]) -> u64 {
    let sum =
        |of: fn(&PackedBlob) -> u32| -> u64 { header.iter().map(|blob| u64::from(of(blob))).sum() };
    let entries = sum(PackedBlob::header_entry_length);
    sum(|blob| blob.length).saturating_add(pack_header::overhead(entries))
}

async fn try_each(repository: &Repository, pack: Id, blobs: &[PackedBlob]) -> Result<Vec<bool>> {
    let mut tried = Vec::with_capacity(blobs.len());
    for blob in blobs {
        tried.push(match read_blob(repository, pack, blob).await {
            Err(error) if is_damage(&error) => false,
            read => read.map(|_| true)?,
        });
    }
    Ok(tried)
}

/// One blob of a pack as it is stored, checked.
///
/// # Errors
/// [`ErrorKind::Damaged`] if it is not what it is said to be.
pub(super) async fn read_blob(
    repository: &Repository,
    pack: Id,
    blob: &PackedBlob,
) -> Result<Bytes> {
    let range = ByteRange {
        offset: u64::from(blob.offset),
        length: u64::from(blob.length),
    };
    let stored = repository
        .load_pack_range(blob.kind, &pack, Some(range))
        .await?;
    let (this, blob) = (repository.clone(), *blob);
    repository
        .workers()
        .run(move || decode(&this, pack, &blob, &stored).map(|()| stored))
        .await?
}

fn decode(repository: &Repository, pack: Id, blob: &PackedBlob, stored: &[u8]) -> Result<()> {
    if stored.is_empty() {
        return Err(Error::new(ErrorKind::Damaged, "outside of the pack"));
    }
    repository
        .decode_blob(&blob.id, &location(pack, blob), stored)
        .map(drop)
}

fn slice(content: &Bytes, blob: &PackedBlob) -> Bytes {
    let begin = blob.offset as usize;
    let end = begin.saturating_add(blob.length as usize);
    if end <= content.len() {
        content.slice(begin..end)
    } else {
        Bytes::new()
    }
}

/// The place of a blob, as an index gives it.
pub(super) fn location(pack: Id, blob: &PackedBlob) -> Location {
    Location {
        pack,
        offset: blob.offset,
        length: blob.length,
        uncompressed_length: blob.uncompressed_length,
    }
}
