//! Cutting content into blobs where the content says so: restic's Rabin fingerprint chunker.
//!
//! A fingerprint is the last 64 bytes, read as a polynomial over GF(2), modulo the repository's [`Polynomial`]. Content is
//! cut behind each byte where the lowest 20 bits of it are zero, yet no blob is shorter than [`CHUNK_MIN`] (but for
//! the last of a file) or longer than [`CHUNK_MAX`].
//!
//! The fingerprint depends on these 64 bytes alone and not on where the blob began. So it can be computed from any
//! position on, and in several places at once.

mod polynomial;

use std::sync::Arc;

use strongroom_kernel::{CodePath, FingerprintSearch};

pub use polynomial::{InvalidPolynomial, Polynomial};

/// Shortest blob but for the last of a file, in bytes.
pub const CHUNK_MIN: usize = 512 << 10;

/// Longest blob, in bytes.
pub const CHUNK_MAX: usize = 8 << 20;

/// Where a blob ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// After so many bytes.
    At(usize),
    /// Not within the data so far. `scanned` goes into the next call, with more data.
    NeedMore {
        /// Bytes that need not be looked at again.
        scanned: usize,
    },
}

/// Finds where blobs end. Cheap to clone; its tables are made once a repository and shared.
#[derive(Debug, Clone)]
pub struct Chunker {
    search: Arc<FingerprintSearch>,
}

impl Chunker {
    /// A chunker for the polynomial of a repository.
    pub fn new(polynomial: Polynomial) -> Self {
        Self::on_path(polynomial, CodePath::current())
    }

    fn on_path(polynomial: Polynomial, path: CodePath) -> Self {
        let search = FingerprintSearch::on_path(polynomial.coefficients(), path);
        Self {
            search: Arc::new(search),
        }
    }

    /// Where the blob ends that begins with `data`.
    ///
    /// `scanned` is 0 for a new blob, else what the call before returned for the same blob. With `end_of_input` the rest
    /// is a blob however short; there is always a cut then. Data past [`CHUNK_MAX`] is not looked at.
    pub fn next_cut(&self, data: &[u8], scanned: usize, end_of_input: bool) -> Cut {
        let end = data.len().min(CHUNK_MAX);
        let first = scanned.saturating_add(1).max(CHUNK_MIN);
        match self.search.find(data, first, end) {
            Some(cut) => Cut::At(cut),
            None if end == CHUNK_MAX || end_of_input => Cut::At(end),
            None => Cut::NeedMore { scanned: end },
        }
    }
}

#[cfg(test)]
mod tests;
