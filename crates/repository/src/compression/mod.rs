//! zstd, with one context a thread that is used over and over.

mod zstd_context;

pub use zstd_context::{compress_into, decompress, decompress_unknown};

/// How much work goes into compression; the words and their meaning are restic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Data blobs are not compressed; trees and other files are, as with [`Level::Auto`].
    Off,
    /// zstd's level 3.
    #[default]
    Auto,
    /// Slow and small.
    Max,
}

impl Level {
    fn zstd(self) -> i32 {
        match self {
            Self::Off | Self::Auto => 3,
            Self::Max => 12,
        }
    }
}
