//! Identifiers: SHA-256 of content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The SHA-256 of a file's or a blob's content; in the design document a "storage ID".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; 32]);

/// A text that is no [`Id`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of 64 hexadecimal digits")]
pub struct InvalidId;

impl Id {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// The identifier of a content.
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The ids of several contents, in their order: much faster than one after the other.
    pub fn of_each(contents: &[&[u8]]) -> Vec<Self> {
        let digests = strongroom_kernel::sha256_many(contents);
        digests.into_iter().map(Self).collect()
    }

    /// The bytes as an identifier.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes as a number, which orders as the identifiers do.
    pub const fn prefix(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// All 64 hexadecimal digits, lower case.
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// The first eight digits, as shown to people.
    pub fn short(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        data_encoding::HEXLOWER.encode(&[a, b, c, d])
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.short())
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    /// Takes exactly 64 lower-case digits.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(InvalidId);
        }
        match data_encoding::HEXLOWER.decode_mut(text.as_bytes(), &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(InvalidId),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read in place: trees and indexes hold millions of identifiers.
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an identifier")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// What a blob holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobKind {
    /// A piece of a file's content.
    Data,
    /// A directory: the JSON of a tree.
    Tree,
}

impl fmt::Display for BlobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Tree => "tree",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn ids_of_many_contents_are_those_of_each() {
        let data: Vec<u8> = (0..9000_u32).map(|at| (at * at % 251) as u8).collect();
        let contents: Vec<&[u8]> = (0..50).map(|at| &data[..at * 180]).collect();
        let each: Vec<Id> = contents.iter().map(|content| Id::of(content)).collect();
        assert_eq!(Id::of_each(&contents), each);
    }
}
