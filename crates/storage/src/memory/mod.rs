//! A storage in memory, for tests and trial runs.
//!
//! Keeps every promise of [`crate::Storage`] but durability: it ends with the last clone of it. Memory use is
//! what was written; reads share it.

mod storage;

pub use storage::MemoryStorage;
