//! Bytes at rest: where the files of a repository or of an archive live.
//!
//! [`Storage`] is the contract; each kind (a local directory, memory, …) is a folder of its own;
//! behaviour that every kind needs (retry, time-outs, limits, the cache) is a wrapper around a
//! storage and never part of a kind.
//!
//! Invariant: this crate knows nothing of repositories, encryption or file formats.

pub mod cache;
mod error;
mod limit;
pub mod local;
pub mod memory;
mod path;
mod read_only;
mod retry;
mod storage;
mod timeout;
mod url;

pub use cache::{CacheDirectory, CacheFolder, CacheSettings, CacheStorage};
pub use error::{ErrorKind, Operation, Result, Retry, StorageError};
pub use limit::LimitStorage;
pub use local::LocalStorage;
pub use memory::MemoryStorage;
pub use path::{InvalidPath, StoragePath};
pub use read_only::ReadOnlyStorage;
pub use retry::{RetryPolicy, RetryStorage};
pub use storage::{ByteRange, Capabilities, Class, FileInfo, Storage, WriteMode};
pub use timeout::{TimeLimits, TimeoutStorage};
pub use url::{Location, LocationError, open};
