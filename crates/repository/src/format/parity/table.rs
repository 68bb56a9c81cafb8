//! The checksums of a group's windows, by which damage is found without the names of files.

use super::{ParityGroup, invalid};
use crate::format::{FormatError, Id};

/// The first half of a SHA-256. It tells damage; that the right bytes came back, the whole hash of the file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; Self::LENGTH]);

impl Checksum {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    /// The checksum of a window: of its bytes in the file, without the zeros that fill it up.
    pub fn of(window: &[u8]) -> Self {
        let hash = Id::of(window);
        // A hash is longer, so there is always a first half.
        Self(hash.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

/// The checksums of a group: for each member those of its windows, then for each part those of its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecksumTable {
    members: Vec<Vec<Checksum>>,
    parts: Vec<Vec<Checksum>>,
}

impl ChecksumTable {
    /// A table of checksums that were computed; one list for each member and each part.
    pub fn new(members: Vec<Vec<Checksum>>, parts: Vec<Vec<Checksum>>) -> Self {
        Self { members, parts }
    }

    /// Of a member, by its position.
    pub fn member(&self, member: usize) -> &[Checksum] {
        self.members.get(member).map_or(&[], Vec::as_slice)
    }

    /// Of a part, by its position.
    pub fn part(&self, part: usize) -> &[Checksum] {
        self.parts.get(part).map_or(&[], Vec::as_slice)
    }

    /// The bytes, one checksum behind the other.
    pub fn encode(&self) -> Vec<u8> {
        let all = self.members.iter().chain(&self.parts).flatten();
        all.flat_map(|checksum| checksum.0).collect()
    }

    /// Reads the table of a group.
    ///
    /// # Errors
    /// [`FormatError::Value`] if it is not the one that the descriptor names.
    pub fn decode(group: &ParityGroup, bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() as u64 != group.table_bytes() || Id::of(bytes) != group.table {
            return Err(invalid("the table of checksums is damaged"));
        }
        let (all, _) = bytes.as_chunks::<{ Checksum::LENGTH }>();
        let mut rest = all.iter().copied().map(Checksum);
        let mut take = |windows: u64| -> Vec<Checksum> {
            let windows = usize::try_from(windows).unwrap_or(usize::MAX);
            rest.by_ref().take(windows).collect()
        };
        let members = group.members.iter();
        let members = members
            .map(|member| take(group.windows(member.size_bytes)))
            .collect();
        let parts = (0..group.parts()).map(|_| take(group.rows())).collect();
        Ok(Self { members, parts })
    }
}
