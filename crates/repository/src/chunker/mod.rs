//! Cutting content into blobs where the content says so: restic's Rabin fingerprint chunker.

mod polynomial;

pub use polynomial::{InvalidPolynomial, Polynomial};
