//! The content of files that are not packs: snapshots, indexes, locks and the config, after decryption.
//!
//! In version 1 it is JSON. In version 2 it is the byte 2 and a zstd frame, or still JSON, which begins with `[` or `{`;
//! the config is never compressed, because its version is not known before it is read.

use crate::format::{FormatError, RepositoryVersion};

/// Longest content that is accepted: an index of restic's largest kind has some 30 MiB, one written by other programs
/// or by `strongroom` may be larger.
pub const LENGTH_MAX: u64 = 1 << 30;

const ZSTD: u8 = 2;

/// The content of an unpacked file (not the config) as it is encrypted.
///
/// # Errors
/// [`FormatError::Compression`] if the compression library fails.
pub fn encode(version: RepositoryVersion, json: &[u8]) -> Result<Vec<u8>, FormatError> {
    match version {
        RepositoryVersion::V1 => Ok(json.to_vec()),
        RepositoryVersion::V2 => {
            let mut out = Vec::with_capacity(json.len() / 2 + 64);
            out.push(ZSTD);
            crate::compression::compress_into(crate::compression::Level::Auto, json, &mut out)?;
            Ok(out)
        }
    }
}

/// The JSON of an unpacked file, of at most `length_max` bytes.
///
/// # Errors
/// [`FormatError::Value`] for an unknown encoding, [`FormatError::Compression`] for damaged compressed data,
/// [`FormatError::TooLarge`] where the limit is passed; no more than the limit is ever allocated.
pub fn decode(
    version: RepositoryVersion,
    content: Vec<u8>,
    length_max: u64,
) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    match decode_into(version, &content, length_max, &mut out)? {
        true => Ok(out),
        false => Ok(content),
    }
}

/// The same into memory that is used again: `true` where that has the JSON now, `false` where `content` is the JSON.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_into(
    version: RepositoryVersion,
    content: &[u8],
    length_max: u64,
    out: &mut Vec<u8>,
) -> Result<bool, FormatError> {
    let what = "unpacked file";
    match (version, content.split_first()) {
        (RepositoryVersion::V1, _) | (RepositoryVersion::V2, None | Some((b'[' | b'{', _))) => {
            if content.len() as u64 > length_max {
                return Err(FormatError::TooLarge {
                    what,
                    limit_bytes: length_max,
                });
            }
            Ok(false)
        }
        (RepositoryVersion::V2, Some((&ZSTD, frame))) => {
            crate::compression::decompress_unknown_into(frame, length_max, out).map(|()| true)
        }
        (RepositoryVersion::V2, Some((other, _))) => Err(FormatError::value(
            what,
            format!("unknown encoding {other:#04x}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] =
        br#"{"packs":[],"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;

    #[test]
    fn both_versions_keep_the_content() {
        for version in [RepositoryVersion::V1, RepositoryVersion::V2] {
            let encoded = encode(version, JSON).unwrap();
            assert_eq!(decode(version, encoded, LENGTH_MAX).unwrap(), JSON);
            assert_eq!(decode(version, JSON.to_vec(), LENGTH_MAX).unwrap(), JSON);
        }
        assert_eq!(encode(RepositoryVersion::V1, JSON).unwrap(), JSON);
        assert_eq!(
            encode(RepositoryVersion::V2, JSON).unwrap().first(),
            Some(&2)
        );
    }

    #[test]
    fn an_unknown_encoding_is_refused() {
        for first in (0..=255).filter(|byte| ![2, b'[', b'{'].contains(byte)) {
            assert!(decode(RepositoryVersion::V2, vec![first, 1, 2, 3], LENGTH_MAX).is_err());
        }
    }

    #[test]
    fn damage_is_an_error_or_other_content_but_no_panic() {
        let encoded = encode(RepositoryVersion::V2, JSON).unwrap();
        for length in 1..encoded.len() {
            assert!(
                decode(
                    RepositoryVersion::V2,
                    encoded[..length].to_vec(),
                    LENGTH_MAX
                )
                .is_err()
            );
        }
        for bit in 0..encoded.len() * 8 {
            let mut damaged = encoded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decode(RepositoryVersion::V2, damaged, 1 << 16);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let encoded = encode(RepositoryVersion::V2, &vec![b'a'; 64 << 20]).unwrap();
        assert!(encoded.len() < 64 << 10);
        assert!(matches!(
            decode(RepositoryVersion::V2, encoded, 1 << 20),
            Err(FormatError::TooLarge { .. })
        ));
        assert!(decode(RepositoryVersion::V1, vec![b'{'; 100], 99).is_err());
    }
}
