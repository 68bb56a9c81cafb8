//! The descriptor of a group.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    BLOCK_BYTES, DESCRIPTOR_BYTES_MAX, MEMBER_BYTES_MAX, MEMBERS_MAX, PARTS_MAX, TABLE_BYTES_MAX,
    WINDOW_BYTES_MAX, invalid,
};
use crate::format::{FormatError, Id};

/// What a descriptor says of itself.
const FORMAT: &str = "strongroom parity group";
const VERSION: u64 = 1;

/// The kind of file that a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParityMemberKind {
    /// The file `config`. Its id is the SHA-256 of its bytes, though its name is not.
    Config,
    /// A key.
    Key,
    /// A snapshot.
    Snapshot,
    /// An index file.
    Index,
    /// A pack.
    Pack,
}

/// A file that a group protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityMember {
    /// What kind of file it is.
    pub kind: ParityMemberKind,
    /// The SHA-256 of its bytes.
    pub id: Id,
    /// Its size.
    #[serde(rename = "size")]
    pub size_bytes: u64,
    /// It was removed on purpose after the group was made: never to be brought back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A file that holds parity parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityFile {
    /// The SHA-256 of its bytes: its name.
    pub id: Id,
    /// How many parts it holds, one behind the other.
    pub parts: u64,
}

/// A group: members, and the parity that brings some of them back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityGroup {
    /// What the user asked for when it was made: parts for a hundred members.
    pub percent: u8,
    /// Bytes that are checked and brought back by themselves.
    pub window_bytes: u32,
    /// The protected files, in the order of the code.
    pub members: Vec<ParityMember>,
    /// The parity, in the order of the code.
    pub files: Vec<ParityFile>,
    /// SHA-256 of the table of checksums, which stands at the end of every parity file.
    pub table: Id,
}

#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    format: &'a str,
    version: u64,
    percent: u8,
    window: u32,
    members: Vec<ParityMember>,
    parity: Vec<ParityFile>,
    table: Id,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

impl ParityGroup {
    /// Reads a descriptor.
    ///
    /// # Errors
    /// [`FormatError::Json`] and [`FormatError::Value`]; [`FormatError::TooLarge`] past 1 MiB.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        if json.len() as u64 > DESCRIPTOR_BYTES_MAX {
            return Err(FormatError::TooLarge {
                what: "parity group",
                limit_bytes: DESCRIPTOR_BYTES_MAX,
            });
        }
        let bad_json = |error: serde_json::Error| FormatError::json("parity group", &error);
        let head: Head = serde_json::from_slice(json).map_err(bad_json)?;
        if head.format != FORMAT || head.version != VERSION {
            return Err(invalid(format!(
                "{:?} of version {} is not known",
                head.format, head.version
            )));
        }
        let fields: Fields<'_> = serde_json::from_slice(json).map_err(bad_json)?;
        let group = Self {
            percent: fields.percent,
            window_bytes: fields.window,
            members: fields.members,
            files: fields.parity,
            table: fields.table,
        };
        group.validate()?;
        Ok(group)
    }

    /// The JSON; its SHA-256 is the name.
    ///
    /// # Errors
    /// [`FormatError::Value`] for what [`Self::decode`] would not take.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.validate()?;
        let fields = Fields {
            format: FORMAT,
            version: VERSION,
            percent: self.percent,
            window: self.window_bytes,
            members: self.members.clone(),
            parity: self.files.clone(),
            table: self.table,
        };
        serde_json::to_vec(&fields).map_err(|error| FormatError::json("parity group", &error))
    }

    fn validate(&self) -> Result<(), FormatError> {
        if !(1..=100).contains(&self.percent) {
            return Err(invalid(format!("{} percent", self.percent)));
        }
        let window = u64::from(self.window_bytes);
        if window == 0
            || !window.is_multiple_of(BLOCK_BYTES)
            || self.window_bytes > WINDOW_BYTES_MAX
        {
            return Err(invalid(format!("windows of {window} bytes")));
        }
        if self.members.is_empty() || self.members.len() > MEMBERS_MAX {
            return Err(invalid(format!("{} members", self.members.len())));
        }
        let mut names = HashSet::with_capacity(self.members.len());
        for member in &self.members {
            if member.size_bytes == 0 || member.size_bytes > MEMBER_BYTES_MAX {
                return Err(invalid(format!("a member of {} bytes", member.size_bytes)));
            }
            if !names.insert((member.kind, member.id)) {
                return Err(invalid(format!("{} is twice in it", member.id.short())));
            }
        }
        self.validate_parts()
    }

    fn validate_parts(&self) -> Result<(), FormatError> {
        let mut total = 0_u64;
        let mut names = HashSet::new();
        for file in &self.files {
            total = total.saturating_add(file.parts);
            if file.parts == 0 || total > PARTS_MAX {
                return Err(invalid(format!("{total} parts")));
            }
            if !names.insert(file.id) {
                return Err(invalid(format!("part {} twice", file.id.short())));
            }
        }
        // With more parts than members the code would be another one.
        if total == 0 || total > self.members.len() as u64 {
            return Err(invalid(format!(
                "{total} parts for {} members",
                self.members.len()
            )));
        }
        match self.table_bytes() {
            ..=TABLE_BYTES_MAX => Ok(()),
            bytes => Err(invalid(format!("a table of {bytes} bytes"))),
        }
    }
}

#[cfg(test)]
mod tests;
