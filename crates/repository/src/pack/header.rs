//! Reading the header of a stored pack: what it holds, without any index.

use strongroom_storage::ByteRange;

use crate::error::Context;
use crate::format::pack_header::{self, PackedBlob};
use crate::format::{BlobKind, Id};
use crate::repository::Repository;
use crate::{Error, Result};

/// Bytes at the end of a pack that are read at first: enough for the headers of packs with some 200 blobs, so that
/// most need one request.
const GUESS_BYTES: u64 = 8 * 1024;

impl Repository {
    /// The blobs of a pack as its own header names them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if the pack is missing, or has no header that this repository's key opens.
    pub async fn load_pack_header(&self, pack: &Id, size_bytes: u64) -> Result<Vec<PackedBlob>> {
        self.header(pack, size_bytes)
            .await
            .context(|| format!("header of pack {}", pack.short()))
    }

    async fn header(&self, pack: &Id, size_bytes: u64) -> Result<Vec<PackedBlob>> {
        let guess = GUESS_BYTES.min(size_bytes);
        let mut tail = self.tail(pack, size_bytes, guess).await?;
        let field = tail
            .last_chunk::<4>()
            .ok_or_else(|| Error::damaged("too short for a pack"))?;
        let sealed_length = pack_header::sealed_length(*field, size_bytes)?;
        let needed = u64::from(sealed_length).saturating_add(u64::from(pack_header::LENGTH_FIELD));
        if needed > guess {
            tail = self.tail(pack, size_bytes, needed).await?;
        }
        let begin = tail
            .len()
            .saturating_sub(usize::try_from(needed).unwrap_or(usize::MAX));
        let end = tail.len().saturating_sub(4);
        let sealed = tail.get(begin..end).unwrap_or_default();
        let header = self.master().open(sealed)?;
        Ok(pack_header::decode(
            &header,
            size_bytes.saturating_sub(needed),
        )?)
    }

    async fn tail(&self, pack: &Id, size_bytes: u64, length: u64) -> Result<bytes::Bytes> {
        let range = ByteRange {
            offset: size_bytes.saturating_sub(length),
            length,
        };
        // What the blobs are is not known yet; data packs are the many.
        self.load_pack_range(BlobKind::Data, pack, Some(range))
            .await
    }
}
