//! Files that hold keys for signatures, as PEM: those of Ed25519 as `openssl genpkey` and `openssl pkey -pubout` write them
//! (PKCS#8 and SubjectPublicKeyInfo, RFC 8410), shared keys in a block of our own.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::format::FormatError;

/// Longest key file in bytes.
pub const KEY_FILE_MAX_BYTES: u64 = 16 * 1024;

const WHAT: &str = "key for signatures";
const LENGTH: usize = 32;

/// DER in front of the 32 bytes of a private key: version 0, the algorithm 1.3.101.112, an octet string in an octet string.
const PRIVATE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// DER in front of the 32 bytes of a public key: the same algorithm, a bit string.
const PUBLIC: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

const LABEL_PRIVATE: &str = "PRIVATE KEY";
const LABEL_PUBLIC: &str = "PUBLIC KEY";
const LABEL_HMAC: &str = "STRONGROOM HMAC KEY";

/// What a key file holds.
pub enum SignatureKeyFile {
    /// The seed of an Ed25519 key: a secret.
    Ed25519Private(Zeroizing<[u8; LENGTH]>),
    /// A public Ed25519 key. Not known to be a point of the curve.
    Ed25519Public([u8; LENGTH]),
    /// A key for HMAC-SHA256: a secret.
    Hmac(Zeroizing<[u8; LENGTH]>),
}

impl SignatureKeyFile {
    /// Reads the text of a key file. Errors repeat nothing of it.
    ///
    /// # Errors
    /// [`FormatError::Value`]
    pub fn decode(text: &str) -> Result<Self, FormatError> {
        let (label, der) = decode_pem(text)?;
        match label {
            LABEL_PRIVATE => Ok(Self::Ed25519Private(behind(&PRIVATE, &der)?)),
            LABEL_PUBLIC => Ok(Self::Ed25519Public(*behind(&PUBLIC, &der)?)),
            LABEL_HMAC => Ok(Self::Hmac(behind(&[], &der)?)),
            "ENCRYPTED PRIVATE KEY" => Err(invalid(
                "it is encrypted; `openssl pkey` decrypts it into a file that only you can read",
            )),
            _ => Err(invalid("PEM of another kind of thing")),
        }
    }

    /// The text, with one line end behind.
    pub fn encode(&self) -> Zeroizing<String> {
        let (label, prefix, key): (_, &[u8], &[u8; LENGTH]) = match self {
            Self::Ed25519Private(key) => (LABEL_PRIVATE, &PRIVATE, key),
            Self::Ed25519Public(key) => (LABEL_PUBLIC, &PUBLIC, key),
            Self::Hmac(key) => (LABEL_HMAC, &[], key),
        };
        let der = Zeroizing::new([prefix, key.as_slice()].concat());
        // At most 48 bytes, so the base64 is one line of at most 64 characters.
        let body = Zeroizing::new(data_encoding::BASE64.encode(&der));
        Zeroizing::new(format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            *body
        ))
    }

    /// The DER of a public key, which its identifier is the SHA-256 of.
    pub fn public_der(key: &[u8; LENGTH]) -> Vec<u8> {
        [&PUBLIC[..], key].concat()
    }
}

impl fmt::Debug for SignatureKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519Private(_) => "Ed25519Private(…)",
            Self::Ed25519Public(_) => "Ed25519Public(…)",
            Self::Hmac(_) => "Hmac(…)",
        })
    }
}

fn invalid(detail: &str) -> FormatError {
    FormatError::value(WHAT, detail)
}

/// The label of the one block, and what is in it.
fn decode_pem(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), FormatError> {
    let no_pem = || invalid("it is not a PEM file");
    if text.len() as u64 > KEY_FILE_MAX_BYTES {
        return Err(no_pem());
    }
    let text = text.trim();
    let rest = text.strip_prefix("-----BEGIN ").ok_or_else(no_pem)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(no_pem)?;
    let end = format!("-----END {label}-----");
    let body = rest.strip_suffix(end.as_str()).ok_or_else(no_pem)?;
    let mut base64: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(body.len()));
    base64.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let der = data_encoding::BASE64.decode(&base64);
    der.map(|der| (label, Zeroizing::new(der)))
        .map_err(|_| no_pem())
}

fn behind(prefix: &[u8], der: &[u8]) -> Result<Zeroizing<[u8; LENGTH]>, FormatError> {
    let key = der.strip_prefix(prefix);
    let mut key: [u8; LENGTH] = key
        .and_then(|key| key.try_into().ok())
        .ok_or_else(|| invalid("it holds no key of Ed25519 (or of HMAC, as we write it)"))?;
    let wiped = Zeroizing::new(key);
    key.zeroize();
    Ok(wiped)
}

#[cfg(test)]
mod tests {
    use super::{KEY_FILE_MAX_BYTES, SignatureKeyFile};

    // RFC 8410, section 10.
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn the_examples_of_the_specification_keep_their_text() {
        let public = SignatureKeyFile::decode(PUBLIC).unwrap();
        assert!(matches!(public, SignatureKeyFile::Ed25519Public(key) if key[..2] == [0x19, 0xbf]));
        assert_eq!(*public.encode(), PUBLIC);
        let private = SignatureKeyFile::decode(PRIVATE).unwrap();
        assert!(
            matches!(&private, SignatureKeyFile::Ed25519Private(key) if key[..2] == [0xd4, 0xee])
        );
        assert_eq!(*private.encode(), PRIVATE);
        assert!(!format!("{private:?}").contains("MC4C"));
        let hmac = SignatureKeyFile::Hmac(zeroize::Zeroizing::new([9; 32]));
        let again = SignatureKeyFile::decode(&hmac.encode()).unwrap();
        assert!(matches!(again, SignatureKeyFile::Hmac(key) if *key == [9; 32]));
    }

    /// A message that repeats a part of the file shows a secret to whoever reads the log.
    #[test]
    fn what_is_no_key_is_an_error_that_tells_nothing_of_it() {
        let cut = PRIVATE.replace("VhC", "");
        let other = PRIVATE.replace("MC4CAQ", "MC4CAR");
        let label = PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE");
        for text in [
            "",
            "hunter2",
            &PRIVATE[..60],
            &cut,
            &other,
            &label,
            &"x".repeat(1 << 20),
        ] {
            let error = SignatureKeyFile::decode(text).unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && !error.contains("MC4"),
                "{error}"
            );
        }
        for length in 0..PRIVATE.len() - 1 {
            assert!(SignatureKeyFile::decode(&PRIVATE[..length]).is_err());
        }
    }

    #[test]
    fn a_key_file_is_at_most_so_long() {
        let longest = KEY_FILE_MAX_BYTES as usize;
        let decode = |length: usize| SignatureKeyFile::decode(&format!("{PUBLIC:length$}"));
        decode(longest).unwrap();
        for length in [longest + 1, longest + 2, 3 * longest] {
            decode(length).unwrap_err();
        }
    }

    /// Who has an encrypted key is told what to do with it.
    #[test]
    fn an_encrypted_key_is_named_as_such() {
        let encrypted = PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let error = SignatureKeyFile::decode(&encrypted).unwrap_err();
        assert!(error.to_string().contains("encrypted"), "{error}");
    }
}
