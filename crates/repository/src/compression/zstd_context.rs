use std::cell::RefCell;
use std::io::{self, Cursor, Read};

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{self, CParameter};

use crate::compression::Level;
use crate::format::FormatError;

/// A compressor takes some megabytes and a tenth of a millisecond to set up, more than a small blob takes to compress.
struct LevelledCompressor {
    level: Level,
    compressor: Compressor<'static>,
}

thread_local! {
    static COMPRESSOR: RefCell<Option<LevelledCompressor>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Level 3 looks for repetitions of five bytes in large blobs, of four in small ones. Five throughout costs a tenth less
/// time on source text in files of some kilobytes, which get larger by one part in 500.
fn compressor(level: Level) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level.zstd())?;
    if level != Level::Max {
        compressor.set_parameter(CParameter::MinMatch(5))?;
    }
    Ok(compressor)
}

fn failed(error: &io::Error) -> FormatError {
    FormatError::Compression(error.to_string())
}

/// Appends one zstd frame with the length of its content, without a checksum (blobs have a hash).
///
/// It may be longer than `data` by a few bytes where `data` does not compress.
///
/// # Errors
/// [`FormatError::Compression`] if zstd fails; `out` is as before then.
pub fn compress_into(level: Level, data: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let context = match slot {
            Some(context) if context.level.zstd() == level.zstd() => context,
            _ => slot.insert(LevelledCompressor {
                level,
                compressor: compressor(level).map_err(|error| failed(&error))?,
            }),
        };
        let begin = out.len();
        out.reserve(zstd_safe::compress_bound(data.len()));
        // The cursor makes zstd write behind what `out` holds.
        let mut cursor = Cursor::new(std::mem::take(out));
        cursor.set_position(begin as u64);
        let result = context.compressor.compress_to_buffer(data, &mut cursor);
        *out = cursor.into_inner();
        if result.is_err() {
            out.truncate(begin);
        }
        result.map(|_| ()).map_err(|error| failed(&error))
    })
}

/// Content that four bytes of compressed data can stand for at most: a block of one repeated byte.
const BLOCK_LENGTH_MAX: usize = 128 << 10;

/// The content of zstd frames that is known to have exactly `length` bytes. Allocates these and no more, and only where
/// the data is long enough to hold so much and its first frame does not contradict.
///
/// # Errors
/// [`FormatError::Compression`] if the data is damaged or its content has another length.
pub fn decompress(data: &[u8], length: usize) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    decompress_into(data, length, &mut out)?;
    Ok(out)
}

/// As [`decompress`], into memory that is used again; what it held is lost.
pub fn decompress_into(data: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let wrong_length =
        || FormatError::Compression(format!("the content does not have {length} bytes"));
    let stated = zstd_safe::get_frame_content_size(data).ok().flatten();
    let possible = (data.len() / 4).saturating_mul(BLOCK_LENGTH_MAX);
    if length > possible || stated.is_some_and(|stated| stated > length as u64) {
        return Err(wrong_length());
    }
    out.clear();
    out.reserve_exact(length);
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let context = match slot {
            Some(context) => context,
            None => slot.insert(Decompressor::new().map_err(|error| failed(&error))?),
        };
        context
            .decompress_to_buffer(data, out)
            .map_err(|error| failed(&error))?;
        if out.len() == length {
            Ok(())
        } else {
            Err(wrong_length())
        }
    })
}

/// The content of zstd frames of unknown length, up to `length_max`. What is allocated grows with what is really there.
///
/// # Errors
/// [`FormatError::Compression`] if the data is damaged, [`FormatError::TooLarge`] if there is more.
pub fn decompress_unknown(data: &[u8], length_max: u64) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    decompress_unknown_into(data, length_max, &mut out)?;
    Ok(out)
}

/// As [`decompress_unknown`], into memory that is used again; what it held is lost.
///
/// # Errors
/// Those of [`decompress_unknown`].
pub fn decompress_unknown_into(
    data: &[u8],
    length_max: u64,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let too_large = FormatError::TooLarge {
        what: "decompressed content",
        limit_bytes: length_max,
    };
    let stated = zstd_safe::get_frame_content_size(data).ok().flatten();
    if stated.is_some_and(|stated| stated > length_max) {
        return Err(too_large);
    }
    // JSON of hashes shrinks to a half, other JSON to a twentieth at the very best: more than that is proved first.
    let likely = (data.len() as u64).saturating_mul(20);
    let whole = stated
        .filter(|stated| *stated <= likely)
        .and_then(|stated| usize::try_from(stated).ok());
    // One call with the context that this thread keeps; frames that say something else go the long way.
    if whole.is_some_and(|length| decompress_into(data, length, out).is_ok()) {
        return Ok(());
    }
    out.clear();
    let decoder = zstd::stream::read::Decoder::with_buffer(data).map_err(|error| failed(&error))?;
    let mut limited = decoder.take(length_max.saturating_add(1));
    limited.read_to_end(out).map_err(|error| failed(&error))?;
    if out.len() as u64 > length_max {
        return Err(too_large);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        (0..length)
            .map(|i| b"the same words again and again "[i % 31] ^ (i / 977) as u8 & 3)
            .collect()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for level in [Level::Off, Level::Auto, Level::Max, Level::Auto] {
            for length in [0, 1, 100, 5000, 1 << 20] {
                let data = text(length);
                let mut out = b"before".to_vec();
                compress_into(level, &data, &mut out).unwrap();
                assert!(out.starts_with(b"before"));
                assert_eq!(decompress(&out[6..], length).unwrap(), data);
                assert_eq!(decompress_unknown(&out[6..], length as u64).unwrap(), data);
                if length >= 5000 {
                    assert!(out.len() < length / 4);
                }
            }
        }
    }

    #[test]
    fn content_of_another_length_is_refused() {
        let mut out = Vec::new();
        compress_into(Level::Auto, &text(5000), &mut out).unwrap();
        for length in [0, 1, 4999, 5001, 1 << 20] {
            assert!(decompress(&out, length).is_err(), "{length}");
        }
        assert!(decompress_unknown(&out, 4999).is_err());
    }

    #[test]
    fn truncated_and_damaged_data_does_not_panic() {
        let data = text(3000);
        let mut out = Vec::new();
        compress_into(Level::Auto, &data, &mut out).unwrap();
        for length in 0..out.len() {
            assert!(decompress(&out[..length], data.len()).is_err());
            assert!(length == 0 || decompress_unknown(&out[..length], 1 << 20).is_err());
        }
        for bit in 0..out.len() * 8 {
            let mut damaged = out.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decompress(&damaged, data.len());
            let _ = decompress_unknown(&damaged, 1 << 20);
        }
        // The context works after all these errors.
        assert_eq!(decompress(&out, data.len()).unwrap(), data);
    }

    #[test]
    fn a_frame_that_claims_gigabytes_allocates_none() {
        // Magic, a descriptor that says "8 bytes of content length, single segment", 4 GiB, one empty last block.
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        frame.extend_from_slice(&(4_u64 << 30).to_le_bytes());
        frame.extend_from_slice(&[1, 0, 0]);
        assert!(decompress(&frame, 1 << 20).is_err());
        assert!(decompress_unknown(&frame, 1 << 20).is_err());
        assert!(decompress_unknown(&frame, u64::MAX).is_err());
    }
}
