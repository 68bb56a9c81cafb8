//! Reading blobs of a pack in as few calls as pay, each checked.

use bytes::Bytes;
use strongroom_storage::ByteRange;

use crate::Result;
use crate::format::Id;
use crate::index::IndexedBlob;
use crate::repository::Repository;

use super::is_damage;

/// A blob that was read and is whole.
pub(crate) struct ReadBlob {
    /// Which one, and where it was read: another place than was asked for if that one is damaged.
    pub blob: IndexedBlob,
    /// As it is stored.
    pub stored: Bytes,
    /// Its content.
    pub plain: Vec<u8>,
}

/// Bytes between two blobs that are read and thrown away rather than asked for anew.
const GAP_MAX: u64 = 512 * 1024;

/// Bytes after which a read ends, so that memory is bounded whatever the size of a pack.
const READ_MAX: u64 = 16 * 1024 * 1024;

/// Reads blobs of one pack, given in the order of their offsets, checks MAC and hash of each, and calls `take` with
/// those of one read at a time. Where a blob is damaged, another copy is looked for with `others`.
///
/// # Errors
/// [`crate::ErrorKind::Damaged`] if no copy is whole, the storage's, or what `take` returns.
pub(crate) async fn read_blobs<F>(
    repository: &Repository,
    others: &crate::index::Index,
    blobs: &[IndexedBlob],
    mut take: impl FnMut(Vec<ReadBlob>) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let mut rest = blobs;
    while let Some(first) = rest.first() {
        let (now, later) = rest.split_at(run_length(rest));
        rest = later;
        let range = range_of(now);
        let read = repository
            .load_pack_range(first.kind, &first.location.pack, Some(range))
            .await;
        let read = match read {
            Err(error) if is_damage(&error) => Bytes::new(),
            read => read?,
        };
        let (job, wanted) = (repository.clone(), now.to_vec());
        let decoded = repository
            .workers()
            .run(move || decode(&job, &wanted, &read, range.offset))
            .await?;
        let mut whole = Vec::with_capacity(decoded.len());
        for (blob, decoded) in now.iter().zip(decoded) {
            whole.push(match decoded {
                Ok(blob) => blob,
                Err(error) => another_copy(repository, others, blob, error).await?,
            });
        }
        take(whole).await?;
    }
    Ok(())
}

/// How many blobs from the first on are read in one call; at least one.
fn run_length(blobs: &[IndexedBlob]) -> usize {
    let mut run: Option<ByteRange> = None;
    for (count, blob) in blobs.iter().enumerate() {
        let begin = u64::from(blob.location.offset);
        let end = begin.saturating_add(u64::from(blob.location.length));
        run = Some(match run {
            None => ByteRange {
                offset: begin,
                length: end.saturating_sub(begin),
            },
            Some(so_far) => {
                let so_far_end = so_far.offset.saturating_add(so_far.length);
                let length = so_far_end.max(end).saturating_sub(so_far.offset);
                if begin.saturating_sub(so_far_end) > GAP_MAX || length > READ_MAX {
                    return count;
                }
                ByteRange { length, ..so_far }
            }
        });
    }
    blobs.len()
}

fn range_of(blobs: &[IndexedBlob]) -> ByteRange {
    let offset = blobs
        .first()
        .map_or(0, |blob| u64::from(blob.location.offset));
    let end = |blob: &IndexedBlob| {
        u64::from(blob.location.offset).saturating_add(u64::from(blob.location.length))
    };
    let last = blobs.iter().map(end).max().unwrap_or(offset);
    ByteRange {
        offset,
        length: last.saturating_sub(offset),
    }
}

fn decode(
    repository: &Repository,
    blobs: &[IndexedBlob],
    read: &Bytes,
    base: u64,
) -> Vec<Result<ReadBlob>> {
    let one = |blob: &IndexedBlob| {
        let begin = usize::try_from(u64::from(blob.location.offset).saturating_sub(base))
            .unwrap_or(usize::MAX);
        let end = begin.saturating_add(blob.location.length as usize);
        // A pack that is missing or too short was read as empty: every blob of the range is looked for elsewhere, and
        // the decoder says "too short" of it.
        let stored = if end <= read.len() {
            read.slice(begin..end)
        } else {
            Bytes::new()
        };
        let plain = repository.decode_blob(&blob.id, &blob.location, &stored)?;
        Ok(ReadBlob {
            blob: *blob,
            stored,
            plain,
        })
    };
    blobs.iter().map(one).collect()
}

async fn another_copy(
    repository: &Repository,
    index: &crate::index::Index,
    blob: &IndexedBlob,
    error: crate::Error,
) -> Result<ReadBlob> {
    let id: Id = blob.id;
    // The place itself is tried again too: a pack that is too short may hold it all the same.
    for location in index.locate_all(blob.kind, &id) {
        let stored = match repository.load_blob_raw(blob.kind, &location).await {
            Err(error) if is_damage(&error) => continue,
            stored => stored?,
        };
        let (job, copy) = (repository.clone(), stored.clone());
        let plain = repository
            .workers()
            .run(move || job.decode_blob(&id, &location, &copy))
            .await?;
        if let Ok(plain) = plain {
            return Ok(ReadBlob {
                blob: IndexedBlob { location, ..*blob },
                stored,
                plain,
            });
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests;
