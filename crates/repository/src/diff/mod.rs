//! What changed from one tree to another.

mod compare;
mod figures;

pub use compare::diff;

use std::fmt;

/// What is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// Also what has changed in its metadata alone.
    pub metadata: bool,
}

/// What happened to an entry. Displayed in restic's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// `+`
    Added,
    /// `-`
    Removed,
    /// It is in both.
    Changed {
        /// `T`: it is of another kind.
        kind: bool,
        /// `M`: it is a file with another content.
        content: bool,
        /// `?`: nothing but the content has changed, as if the disk had rotted.
        rot: bool,
        /// `U`: its metadata, or something below the directory, has changed, and its content has not.
        metadata: bool,
    },
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("+"),
            Self::Removed => f.write_str("-"),
            Self::Changed {
                kind,
                content,
                rot,
                metadata,
            } => {
                let letters = [(kind, "T"), (content, "M"), (rot, "?"), (metadata, "U")];
                letters
                    .into_iter()
                    .filter(|(applies, _)| **applies)
                    .try_for_each(|(_, letter)| f.write_str(letter))
            }
        }
    }
}

/// An entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path; directories end with `/`.
    pub path: Vec<u8>,
    /// What happened.
    pub modifier: Modifier,
}

/// Figures of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffFigures {
    /// Files that only this side has.
    pub files: u64,
    /// Directories that only this side has.
    pub dirs: u64,
    /// Other entries that only this side has.
    pub others: u64,
    /// Blobs of contents that only this side uses.
    pub data_blobs: u64,
    /// Trees that only this side uses.
    pub tree_blobs: u64,
    /// Bytes of these blobs and trees, before compression.
    pub bytes: u64,
}

/// Figures of the comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffReport {
    /// Files with another content.
    pub changed_files: u64,
    /// What the second tree has and the first has not.
    pub added: DiffFigures,
    /// What the first tree has and the second has not.
    pub removed: DiffFigures,
}
