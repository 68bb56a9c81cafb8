//! Comparing a file of the target with the blobs that it should consist of.

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::format::Id;
use crate::restore::{ReadAt, TargetResult};

/// Bytes that are read at once, whatever the length of a blob is said to be.
const READ_BYTES: usize = 256 * 1024;

/// A blob's identifier, its offset in the file, and its length where that is known.
pub(super) type Piece = (Id, u64, Option<u32>);

/// For each blob whether the file has it in its place. What cannot be told because the file ends counts as no.
///
/// Returns early with what it has when cancelled.
pub(super) fn matching(
    file: &dyn ReadAt,
    pieces: &[Piece],
    cancel: &CancellationToken,
) -> TargetResult<Vec<bool>> {
    let mut buffer = vec![0; READ_BYTES];
    let mut matches = vec![false; pieces.len()];
    for ((id, offset, length), matched) in pieces.iter().zip(&mut matches) {
        if cancel.is_cancelled() {
            break;
        }
        if let Some(length) = length {
            *matched = hash(file, *offset, (*length).into(), &mut buffer)? == Some(*id);
        }
    }
    Ok(matches)
}

fn hash(
    file: &dyn ReadAt,
    mut offset: u64,
    mut length: u64,
    buffer: &mut [u8],
) -> TargetResult<Option<Id>> {
    let mut digest = Sha256::new();
    while length > 0 {
        let most = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(part) = buffer.get_mut(..most) else {
            return Ok(None);
        };
        let read = file.read_at(offset, part)?;
        digest.update(part.get(..read).unwrap_or_default());
        if read < most {
            return Ok(None);
        }
        offset = offset.saturating_add(read as u64);
        length -= read as u64;
    }
    Ok(Some(Id::from_bytes(digest.finalize().into())))
}
