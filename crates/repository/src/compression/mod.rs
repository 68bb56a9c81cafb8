//! zstd, with one context a thread that is used over and over.
//!
//! Large blobs are looked at before whether they are worth the attempt ([`probe`]); small ones are tried: zstd itself
//! notices within some 0.1 to 0.25 ns a byte that content does not shrink.

mod probe;
mod zstd_context;

use std::cell::Cell;

use crate::format::{BlobKind, FormatError};

use probe::Outlook;
pub(crate) use zstd_context::decompress_into;
pub use zstd_context::{compress_into, decompress, decompress_unknown, decompress_unknown_into};

/// How much work goes into compression; the words and their meaning are restic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Data blobs are not compressed; trees and other files are, as with [`Level::Auto`].
    Off,
    /// zstd's level 3.
    #[default]
    Auto,
    /// zstd's level 12: as small as restic's highest, at some ten times the work of [`Level::Auto`].
    Max,
}

impl Level {
    fn zstd(self) -> i32 {
        match self {
            Self::Off | Self::Auto => 3,
            Self::Max => 12,
        }
    }
}

/// Memory that a thread keeps between two blobs, twice; the largest blob of file content fits.
const SCRATCH_MAX: usize = 9 << 20;

thread_local! {
    // A frame, and what it decompresses to.
    static SCRATCH: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Compresses a blob of a version 2 repository and calls `store` with the frame, or with `None` if the blob is to be
/// stored as it is.
///
/// Trees always are compressed, since restic's prune takes an uncompressed tree for one of version 1 and packs it anew.
/// Data is stored as it is with [`Level::Off`], and where less than one byte in 128 was saved, or would be by what samples
/// show (restic stores the frame even then, larger or not): it restores faster.
///
/// A frame was decompressed and compared before it is handed over: a fault of the library or of the memory must not be
/// found out at a restore (story T-37).
///
/// # Errors
/// [`FormatError::Compression`] if zstd fails, or the content does not come back; `store` is not called then.
pub fn with_compressed<R>(
    level: Level,
    kind: BlobKind,
    content: &[u8],
    store: impl FnOnce(Option<&[u8]>) -> R,
) -> Result<R, FormatError> {
    if content.is_empty() || (kind == BlobKind::Data && level == Level::Off) {
        return Ok(store(None));
    }
    // Fresh memory for each blob would cost a third of the time that compressing takes.
    let (mut frame, mut again) = SCRATCH.take();
    let outlook = match (kind, level) {
        (BlobKind::Data, Level::Auto) => probe::outlook(content, &mut frame)?,
        // Who wants the smallest gets it.
        _ => Outlook::Open,
    };
    if outlook == Outlook::Hopeless {
        SCRATCH.set((frame, again));
        return Ok(store(None));
    }
    frame.clear();
    compress_into(level, content, &mut frame)?;
    let worth_it = kind == BlobKind::Tree || frame.len() < content.len() - content.len() / 128;
    if worth_it && !comes_back(&frame, content, &mut again) {
        let what = "the content does not come back: the memory of this machine may be faulty";
        return Err(FormatError::Compression(what.to_owned()));
    }
    if worth_it && outlook == Outlook::Doubtful {
        probe::was_wrong();
    }
    let result = store(worth_it.then_some(&frame));
    if frame.capacity().max(again.capacity()) <= SCRATCH_MAX {
        SCRATCH.set((frame, again));
    }
    Ok(result)
}

fn comes_back(frame: &[u8], content: &[u8], scratch: &mut Vec<u8>) -> bool {
    let decompressed = decompress_into(frame, content.len(), scratch);
    decompressed.is_ok() && scratch == content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_shrink_is_stored_as_it_is() {
        let mut random = vec![0; 1 << 20];
        getrandom::fill(&mut random).unwrap();
        for (level, kind, content, expected) in [
            (Level::Auto, BlobKind::Data, &[b'a'; 5000][..], true),
            (Level::Max, BlobKind::Data, &[b'a'; 5000], true),
            (Level::Off, BlobKind::Data, &[b'a'; 5000], false),
            (Level::Off, BlobKind::Tree, &[b'a'; 5000], true),
            (Level::Auto, BlobKind::Data, &random, false),
            (Level::Max, BlobKind::Data, &random, false),
            (Level::Auto, BlobKind::Data, &random[..1000], false),
            (Level::Auto, BlobKind::Data, b"x", false),
            (Level::Auto, BlobKind::Tree, b"x", true),
            (Level::Auto, BlobKind::Tree, &random, true),
            (Level::Auto, BlobKind::Data, b"", false),
            (Level::Auto, BlobKind::Tree, b"", false),
        ] {
            let stored = with_compressed(level, kind, content, |frame| frame.map(<[u8]>::to_vec));
            let stored = stored.unwrap();
            assert_eq!(stored.is_some(), expected);
            if let Some(frame) = stored {
                assert_eq!(decompress(&frame, content.len()).unwrap(), content);
            }
        }
    }

    /// Any fault in compressed data must be found before it is stored; after that the source may be gone.
    #[test]
    fn t37_compressed_data_that_does_not_come_back_is_refused() {
        let content: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        let (mut frame, mut scratch) = (Vec::new(), Vec::new());
        compress_into(Level::Auto, &content, &mut frame).unwrap();
        let mut comes_back =
            |frame: &[u8], content: &[u8]| super::comes_back(frame, content, &mut scratch);
        assert!(frame.len() < content.len() && comes_back(&frame, &content));
        let mut harmless = 0;
        for at in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[at] ^= 4;
            // Some bits of a frame mean nothing; then the content is the same.
            harmless += usize::from(comes_back(&flipped, &content));
            assert!(!comes_back(&frame[..at], &content), "cut to {at} bytes");
        }
        assert!(harmless * 10 < frame.len(), "{harmless} of {}", frame.len());
        assert!(!comes_back(&frame, &content[1..]));
    }
}
