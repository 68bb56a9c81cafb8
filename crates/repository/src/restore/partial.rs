//! Names of files that are being written.

use sha2::{Digest, Sha256};

const PREFIX: &[u8] = b".strongroom-";
const SUFFIX: &[u8] = b".part";
const DIGITS: usize = 32;

/// The name under which a file is written, in its final directory, until it is whole.
///
/// It follows from the final name, so that a later restore finds what an interrupted one left and goes on with it.
/// 49 bytes long, whatever the final name's length.
pub fn partial_name(final_name: &[u8]) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(b"strongroom partial file\0")
        .chain_update(final_name)
        .finalize();
    let digits = data_encoding::HEXLOWER.encode(&digest);
    [
        PREFIX,
        digits.as_bytes().get(..DIGITS).unwrap_or_default(),
        SUFFIX,
    ]
    .concat()
}

/// Whether a name could be one of [`partial_name`].
pub fn is_partial_name(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|digits| {
            digits.len() == DIGITS
                && digits
                    .iter()
                    .all(|d| d.is_ascii_digit() || (b'a'..=b'f').contains(d))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_names_are_known_again_and_differ() {
        assert!(is_partial_name(&partial_name(b"a")));
        assert!(is_partial_name(&partial_name(&[b'x'; 255])));
        assert_ne!(partial_name(b"a"), partial_name(b"b"));
        assert_eq!(partial_name(b"a"), partial_name(b"a"));
        for other in [
            &b".strongroom-.part"[..],
            b".strongroom",
            b"a.part",
            b".strongroom-zz.part",
        ] {
            assert!(!is_partial_name(other));
        }
    }
}
