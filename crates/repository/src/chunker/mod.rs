//! Cutting content into blobs where the content says so: restic's Rabin fingerprint chunker.
//!
//! A chunk ends where the fingerprint of the 64 bytes before has 20 zero bits at its low end, but never before 512 KiB
//! and at 8 MiB at the latest. Since the fingerprint depends on those 64 bytes alone, whether a position may be a cut
//! does not depend on where the chunk began, and looking for one can be resumed anywhere.

mod fingerprint;
mod polynomial;

pub use polynomial::{InvalidPolynomial, Polynomial};

use std::sync::Arc;

use fingerprint::Tables;

/// Fewest bytes of a chunk, but for the last one of a content.
pub const CHUNK_MIN: usize = 512 * 1024;

/// Most bytes of a chunk.
pub const CHUNK_MAX: usize = 8 * 1024 * 1024;

/// Where a chunk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The chunk has so many bytes; zero only if there is no content left.
    At(usize),
    /// The end does not lie in what was given.
    NeedMore {
        /// To be passed on with the next call, so that nothing is looked at twice.
        scanned: usize,
    },
}

/// Finds the cuts of a repository's polynomial. Clones share the tables.
#[derive(Debug, Clone)]
pub struct Chunker {
    tables: Arc<Tables>,
}

impl Chunker {
    /// The chunker of a polynomial.
    pub fn new(polynomial: Polynomial) -> Self {
        Self {
            tables: Arc::new(Tables::new(polynomial)),
        }
    }

    /// The end of the chunk that begins with `data`.
    ///
    /// `scanned` is zero for a new chunk and what the last call returned when more data was added behind the same
    /// begin. `end_of_input` says that nothing follows.
    pub fn next_cut(&self, data: &[u8], scanned: usize, end_of_input: bool) -> Cut {
        let end = data.len().min(CHUNK_MAX);
        if let Some(cut) = self.tables.find(data, scanned.max(CHUNK_MIN), end) {
            return Cut::At(cut);
        }
        if end == CHUNK_MAX || end_of_input {
            return Cut::At(end);
        }
        Cut::NeedMore {
            scanned: end.saturating_add(1),
        }
    }
}
