//! The end of a pack: what blobs it holds. A pack is its blobs, then this header (encrypted), then the header's length.

use std::num::NonZeroU32;

use crate::crypto::{MasterKey, OVERHEAD};
use crate::error::{Error, Result};
use crate::format::{BlobKind, FormatError, Id};

/// Longest encrypted header, as in restic. Room for some 400,000 blobs.
pub const HEADER_LENGTH_MAX: u32 = 16 << 20;

/// Bytes of the header's length, at the end of the pack.
pub const LENGTH_FIELD: u32 = 4;

/// Bytes in the header for a blob that is not compressed: kind, length, identifier.
pub const PLAIN_ENTRY_LENGTH: u32 = 1 + 4 + 32;

/// Bytes in the header for a compressed blob: kind, length, length when decompressed, identifier.
pub const COMPRESSED_ENTRY_LENGTH: u32 = PLAIN_ENTRY_LENGTH + 4;

/// Most blobs that fit into one pack's header, whatever they are.
pub const BLOBS_MAX: u32 = (HEADER_LENGTH_MAX - OVERHEAD as u32) / COMPRESSED_ENTRY_LENGTH;

const OVERHEAD_U32: u32 = OVERHEAD as u32;

/// A blob's place in its pack, as the pack's header and the index tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PackedBlob {
    /// What it holds.
    pub kind: BlobKind,
    /// SHA-256 of its plain content.
    pub id: Id,
    /// First byte in the pack.
    pub offset: u32,
    /// Bytes in the pack, with IV and MAC; at least [`OVERHEAD`].
    pub length: u32,
    /// Bytes of the plain content if it is compressed.
    pub uncompressed_length: Option<NonZeroU32>,
}

impl PackedBlob {
    /// Bytes of the plain content.
    pub fn plain_length(&self) -> u32 {
        match self.uncompressed_length {
            Some(length) => length.get(),
            None => self.length.saturating_sub(OVERHEAD_U32),
        }
    }

    /// Bytes that the blob takes in the header (before encryption).
    pub fn header_entry_length(&self) -> u32 {
        match self.uncompressed_length {
            Some(_) => COMPRESSED_ENTRY_LENGTH,
            None => PLAIN_ENTRY_LENGTH,
        }
    }

    /// First byte behind the blob, if blob and offset make sense: no shorter than what encryption adds, no further
    /// than an index can say.
    pub(crate) fn end(&self) -> Option<u32> {
        self.offset
            .checked_add(self.length)
            .filter(|_| self.length >= OVERHEAD_U32)
    }
}

/// Bytes that header and length field take for so many bytes of entries ([`PackedBlob::header_entry_length`]).
pub fn overhead(entries_length: u64) -> u64 {
    entries_length.saturating_add(u64::from(OVERHEAD_U32 + LENGTH_FIELD))
}

/// Appends the header of a pack to its blobs, which are all of `pack` so far and stand in the order of `blobs`.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if `blobs` are not the content of `pack` or are too many;
/// an error of encryption otherwise.
pub fn append(key: &MasterKey, blobs: &[PackedBlob], pack: &mut Vec<u8>) -> Result<()> {
    let refuse = |detail: &str| {
        Error::new(
            crate::ErrorKind::Internal,
            format!("write pack header: {detail}"),
        )
    };
    if encoded_end(blobs) != u32::try_from(pack.len()).ok() {
        return Err(refuse(
            "the blobs do not lie one behind the other in the pack",
        ));
    }
    let plain = encode(blobs);
    let sealed_length = u32::try_from(plain.len() + OVERHEAD)
        .ok()
        .filter(|length| *length <= HEADER_LENGTH_MAX);
    let sealed_length = sealed_length.ok_or_else(|| refuse("too many blobs"))?;
    key.seal_into(&plain, pack)?;
    pack.extend_from_slice(&sealed_length.to_le_bytes());
    Ok(())
}

/// Where the last blob ends, if they lie one behind the other from 0.
fn encoded_end(blobs: &[PackedBlob]) -> Option<u32> {
    blobs
        .iter()
        .try_fold(0, |end, blob| blob.end().filter(|_| blob.offset == end))
}

/// The header before encryption. Offsets are not written; they follow from the order.
pub fn encode(blobs: &[PackedBlob]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blobs.len() * COMPRESSED_ENTRY_LENGTH as usize);
    for blob in blobs {
        let kind = match blob.kind {
            BlobKind::Data => 0,
            BlobKind::Tree => 1,
        };
        match blob.uncompressed_length {
            None => {
                out.push(kind);
                out.extend_from_slice(&blob.length.to_le_bytes());
            }
            Some(uncompressed) => {
                out.push(kind + 2);
                out.extend_from_slice(&blob.length.to_le_bytes());
                out.extend_from_slice(&uncompressed.get().to_le_bytes());
            }
        }
        out.extend_from_slice(blob.id.as_bytes());
    }
    out
}

/// Length of the encrypted header, from the last four bytes of a pack of `pack_length` bytes.
///
/// The header lies directly before these four bytes.
///
/// # Errors
/// [`FormatError::PackHeader`] if a header of that length cannot be in the pack, or is longer than
/// [`HEADER_LENGTH_MAX`].
pub fn sealed_length(
    length_field: [u8; 4],
    pack_length: u64,
) -> std::result::Result<u32, FormatError> {
    let length = u32::from_le_bytes(length_field);
    let refuse = |detail| {
        Err(FormatError::PackHeader(format!(
            "length {length}: {detail}"
        )))
    };
    if length < OVERHEAD_U32 + PLAIN_ENTRY_LENGTH {
        return refuse("too short to name a blob");
    }
    if length > HEADER_LENGTH_MAX {
        return refuse("more than 16 MiB");
    }
    if u64::from(length) + u64::from(LENGTH_FIELD) > pack_length {
        return refuse("longer than the pack");
    }
    Ok(length)
}

/// The blobs that a decrypted header names, with their offsets. `blobs_length` is where the header begins in the pack.
///
/// # Errors
/// [`FormatError::PackHeader`] for an unknown kind, a cut-off entry, or a blob that does not lie before the header.
/// Bytes between the last blob and the header are no error: what is named may still be intact.
pub fn decode(
    header: &[u8],
    blobs_length: u64,
) -> std::result::Result<Vec<PackedBlob>, FormatError> {
    let refuse = |at: usize, detail: &str| FormatError::PackHeader(format!("entry {at}: {detail}"));
    let mut blobs = Vec::with_capacity(header.len() / PLAIN_ENTRY_LENGTH as usize);
    let mut rest = header;
    let mut offset = 0;
    while !rest.is_empty() {
        let blob = take_entry(&mut rest, offset).map_err(|detail| refuse(blobs.len(), detail))?;
        let end = blob.end().filter(|end| u64::from(*end) <= blobs_length);
        offset = end.ok_or_else(|| refuse(blobs.len(), "the blob does not lie in the pack"))?;
        blobs.push(blob);
    }
    Ok(blobs)
}

fn take_entry(rest: &mut &[u8], offset: u32) -> std::result::Result<PackedBlob, &'static str> {
    let [tag] = take(rest)?;
    let kind = match tag {
        0 | 2 => BlobKind::Data,
        1 | 3 => BlobKind::Tree,
        _ => return Err("unknown kind of blob"),
    };
    let length = u32::from_le_bytes(take(rest)?);
    let uncompressed_length = if tag < 2 {
        None
    } else {
        let uncompressed = NonZeroU32::new(u32::from_le_bytes(take(rest)?));
        Some(uncompressed.ok_or("compressed, but empty")?)
    };
    Ok(PackedBlob {
        kind,
        id: Id::from_bytes(take(rest)?),
        offset,
        length,
        uncompressed_length,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> std::result::Result<[u8; N], &'static str> {
    let (taken, behind) = rest.split_first_chunk::<N>().ok_or("cut off")?;
    *rest = behind;
    Ok(*taken)
}

#[cfg(test)]
mod tests;
