//! The loops that every byte goes through, written for the wide instructions of some processors.
//!
//! Each has a portable path, which is the reference, and may have others, which give the same results faster. Which is taken is
//! decided at run time by what the processor has, at most up to [`CodePath::current`]. All `unsafe` of the project is
//! here: loads and stores of vectors from and to slices of the right length, calls of functions for instructions that the
//! processor was seen to have, and the allocator that asks for large pages. No function outside of this crate is unsafe to call.
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

mod code_path;
mod fingerprint;
mod large_pages;
mod seal;
mod sha256;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use code_path::{CodePath, UnknownCodePath};
pub use fingerprint::{FingerprintSearch, WINDOW};
pub use large_pages::LargePages;
pub use seal::{IV_LENGTH, MAC_LENGTH, SealKey};
pub use sha256::{Sha256, sha256_many, sha256_many_on};
