//! Files below `strongroom/parity/`, as docs/format-parity.md defines them.
//!
//! - `ID.group`, a descriptor: which files a group protects, and which files hold the parity. JSON, not encrypted: it must
//!   be readable when keys and configuration are lost. A group exists as soon as its descriptor does.
//! - `ID.parity`: parity parts, and behind them the table of the group's checksums.
//!
//! Either is named by the SHA-256 of its bytes.

mod geometry;
mod group;
mod table;

pub use group::{ParityFile, ParityGroup, ParityMember, ParityMemberKind};
pub use table::{Checksum, ChecksumTable};

use super::{FormatError, Id};

/// Most members of a group that is read.
pub const MEMBERS_MAX: usize = 1024;
/// Most parts of a group that is read.
pub const PARTS_MAX: u64 = 1024;
/// Longest window, in bytes.
pub const WINDOW_BYTES_MAX: u32 = 4 << 20;
/// The code works on blocks of so many bytes: every window and every part is a multiple.
pub const BLOCK_BYTES: u64 = 64;
/// Largest file that is protected. It is held in memory when it is brought back.
pub const MEMBER_BYTES_MAX: u64 = 256 << 20;
/// Longest table of checksums that is read.
pub const TABLE_BYTES_MAX: u64 = 64 << 20;
/// Longest descriptor that is read.
pub const DESCRIPTOR_BYTES_MAX: u64 = 1 << 20;

const GROUP_SUFFIX: &str = ".group";
const PARITY_SUFFIX: &str = ".parity";

/// The name of a descriptor.
pub fn group_name(id: &Id) -> String {
    format!("{id}{GROUP_SUFFIX}")
}

/// The name of a file with parity parts.
pub fn parity_name(id: &Id) -> String {
    format!("{id}{PARITY_SUFFIX}")
}

/// What a name in the folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParityName {
    /// A descriptor.
    Group(Id),
    /// A file with parity parts.
    Parity(Id),
}

impl ParityName {
    /// `None` for a name that is neither.
    pub fn parse(name: &str) -> Option<Self> {
        let id = |text: &str| text.parse().ok();
        match (
            name.strip_suffix(GROUP_SUFFIX),
            name.strip_suffix(PARITY_SUFFIX),
        ) {
            (Some(stem), _) => id(stem).map(Self::Group),
            (_, Some(stem)) => id(stem).map(Self::Parity),
            _ => None,
        }
    }
}

fn invalid(detail: impl Into<String>) -> FormatError {
    FormatError::value("parity group", detail)
}
