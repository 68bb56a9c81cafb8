//! Bytes at rest: where the files of a repository or of an archive live.
//!
//! [`Storage`] is the contract, and its comments are promises. Each kind (a local directory, memory) is a folder of its
//! own and keeps them; one suite of tests asks every kind for each. What a person writes after `--repo` becomes a
//! [`Location`], and [`open`] makes the storage of it.
//!
//! Behaviour that every kind needs is a wrapper around a storage and never part of a kind. Each keeps the promises of
//! what it wraps and adds its own, which stand at its type. They are made to be put around each other in this order,
//! from the inside:
//!
//! ```text
//! kind -> TimeoutStorage -> LimitStorage -> RetryStorage -> CacheStorage -> ReadOnlyStorage
//! ```
//!
//! A call waits for its turn outside the time limit, and pauses before a repetition without holding a turn; a copy in
//! the cache needs none of that; a trial run sees all of it. Every one of them can be left out: the cache gains
//! nothing where [`Capabilities::local`] is set, and whoever wants to know what the storage really holds (a check)
//! must go past it.
//!
//! Invariant: this crate knows nothing of encryption or file formats. Of a repository's layout it knows two things: the
//! cache the names of the folders that it may copy, and the local directory that `config` shows who may read.
//!
//! Invariant: nothing here prints, reads the environment or the home folder; all of that comes in as values.

mod buffers;
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

pub use buffers::{Buffer, Buffers};
pub use cache::{
    CacheDirectory, CacheFolder, CacheSettings, CacheStorage, CacheTable, CacheTables,
    NewCacheTable,
};
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
