//! Bytes at rest: where the files of a repository or of an archive live.
//!
//! [`Storage`] is the contract; each kind (a local directory, memory, …) is a folder of its own;
//! behaviour that every kind needs (retry, time-outs, limits, the cache) is a wrapper around a
//! storage and never part of a kind.
//!
//! Invariant: this crate knows nothing of repositories, encryption or file formats.

mod error;
pub mod local;
pub mod memory;
mod path;
mod storage;

pub use error::{ErrorKind, Operation, Result, Retry, StorageError};
pub use local::LocalStorage;
pub use memory::MemoryStorage;
pub use path::{InvalidPath, StoragePath};
pub use storage::{ByteRange, Capabilities, Class, FileInfo, Storage, WriteMode};
