//! The engine: a deduplicated, encrypted repository in restic's format, version 2 (version 1 is read).
//!
//! The specification is restic's design document (`doc/design.rst` of its repository). What is serialized
//! into a repository is defined in [`format`], which does no input or output.
//!
//! Invariants:
//! - This crate reads and writes files through [`strongroom_storage::Storage`] alone, and what is backed up or
//!   restored through the traits of [`backup`] and `restore`; it touches no file system, terminal or environment.
//! - It knows no database, schedule, HTTP server or command line.
//! - Hashing, compression and encryption run on a bounded set of threads; every function may be called from an
//!   async runtime.

pub mod backup;
pub mod check;
pub mod chunker;
pub mod clock;
pub mod compression;
pub mod copy;
pub mod crypto;
pub mod diff;
pub mod error;
pub mod file_kind;
pub mod find;
pub mod forget;
pub mod format;
pub mod index;
pub mod keys;
pub mod lock;
pub mod ls;
pub mod mirror;
pub mod own_files;
pub mod pack;
pub mod parity;
pub mod pattern;
pub mod pin;
pub mod progress;
pub mod prune;
pub mod repair;
pub mod repository;
pub mod restore;
pub mod rewrite;
pub mod signature;
pub mod snapshots;
pub mod stats;
pub mod tag;
pub mod trash;
mod usage;
pub mod walk;
pub mod workers;

pub use error::{Error, ErrorKind, Result};
pub use file_kind::FileKind;
pub use repository::Repository;
