use serde::Deserialize;
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, MasterKey};
use crate::format::go_json::Object;
use crate::format::read::{self, Base64};
use crate::format::{FormatError, Time};

/// Longest key file that is read. restic writes under one KiB.
const LENGTH_MAX: usize = 1 << 20;

/// A file under `keys/`: the master key, encrypted with a key that is derived from a password.
///
/// It is stored as plain JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// When it was made.
    pub created: Time,
    /// Who made it.
    pub username: String,
    /// Where it was made.
    pub hostname: String,
    /// Key derivation function; `scrypt` alone is known.
    pub kdf: String,
    /// scrypt's cost.
    pub n: u64,
    /// scrypt's block size.
    pub r: u64,
    /// scrypt's lanes.
    pub p: u64,
    /// scrypt's salt.
    pub salt: Vec<u8>,
    /// The JSON of the master key, encrypted.
    pub data: Vec<u8>,
}

#[derive(Deserialize)]
struct Fields {
    created: Time,
    #[serde(default, deserialize_with = "read::null_is_default")]
    username: String,
    #[serde(default, deserialize_with = "read::null_is_default")]
    hostname: String,
    kdf: String,
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
    salt: Base64,
    data: Base64,
}

impl KeyFile {
    /// Reads the JSON of a key file.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none, [`FormatError::TooLarge`] past 1 MiB.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        if json.len() > LENGTH_MAX {
            return Err(FormatError::TooLarge {
                what: "key file",
                limit_bytes: LENGTH_MAX as u64,
            });
        }
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| FormatError::json("key file", &error))?;
        Ok(Self {
            created: fields.created,
            username: fields.username,
            hostname: fields.hostname,
            kdf: fields.kdf,
            n: fields.n,
            r: fields.r,
            p: fields.p,
            salt: fields.salt.0,
            data: fields.data.0,
        })
    }

    /// The JSON; its SHA-256 is the file's name.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.time("created", &self.created);
        object.string("username", self.username.as_bytes());
        object.string("hostname", self.hostname.as_bytes());
        object.string("kdf", self.kdf.as_bytes());
        object.number("N", self.n);
        object.number("r", self.r);
        object.number("p", self.p);
        object.base64("salt", &self.salt);
        object.base64("data", &self.data);
        object.end();
        out
    }
}

#[derive(Deserialize)]
struct MasterKeyFields {
    mac: MacFields,
    encrypt: Base64,
}

#[derive(Deserialize)]
struct MacFields {
    k: Base64,
    r: Base64,
}

/// The JSON of the master key, as it is encrypted in a key file.
pub(crate) fn encode_master_key(key: &MasterKey) -> Zeroizing<Vec<u8>> {
    // Large enough never to move, so that no copy of the key stays behind.
    let mut out = Zeroizing::new(Vec::with_capacity(256));
    let (encrypt, k, r) = key.parts();
    let mut object = Object::begin(&mut out);
    let mut mac = Object::begin(object.name("mac"));
    mac.base64("k", k);
    mac.base64("r", r);
    mac.end();
    object.base64("encrypt", encrypt);
    object.end();
    out
}

/// Reads the JSON of a master key.
pub(crate) fn decode_master_key(json: &[u8]) -> Result<MasterKey, CryptoError> {
    // The error of the parser may quote what it read, so it is dropped.
    let fields: MasterKeyFields =
        serde_json::from_slice(json).map_err(|_| CryptoError::InvalidKey)?;
    let (encrypt, k, r) = (
        Zeroizing::new(fields.encrypt.0),
        Zeroizing::new(fields.mac.k.0),
        Zeroizing::new(fields.mac.r.0),
    );
    let wrong_length = |_| CryptoError::InvalidKey;
    MasterKey::from_parts(
        encrypt.as_slice().try_into().map_err(wrong_length)?,
        k.as_slice().try_into().map_err(wrong_length)?,
        r.as_slice().try_into().map_err(wrong_length)?,
    )
}

#[cfg(test)]
mod tests {
    use super::{KeyFile, LENGTH_MAX};
    use crate::format::FormatError;

    /// A key file that somebody has blown up to gigabytes must not be parsed, whatever it begins with.
    #[test]
    fn a_key_file_is_at_most_so_long() {
        let json = concat!(
            r#"{"created":"2026-01-01T00:00:00Z","username":"","hostname":"","kdf":"scrypt","#,
            r#""N":2,"r":1,"p":1,"salt":"","data":""}"#
        );
        let decode = |length: usize| {
            let mut bytes = json.as_bytes().to_vec();
            bytes.resize(length, b' ');
            KeyFile::decode(&bytes)
        };
        decode(LENGTH_MAX).unwrap();
        for length in [LENGTH_MAX + 1, LENGTH_MAX + 2, 3 * LENGTH_MAX] {
            let error = decode(length).unwrap_err();
            assert!(matches!(error, FormatError::TooLarge { .. }), "{error}");
        }
    }
}
