//! Bytes at rest: where the files of a repository or of an archive live.
//!
//! [`Storage`] is the contract, and its comments are promises. Each kind (a local directory, memory, a folder on a server
//! with SSH, a server of restic's protocol or of WebDAV, a container or bucket of a cloud, rclone) is a folder of its own and keeps them; one
//! suite of tests asks every kind
//! for each. What a person writes after `--repo` becomes a [`Location`], what they set with `-o` become [`Options`], and [`open`] makes the storage
//! of them, with the wrappers that its kind needs.
//!
//! The folders of kinds have the same files: `location` (the address, and its example for errors), `options` (the table
//! that the page for users is compared with, and what they mean), `client` (requests), `failure` (the protocol's errors in
//! our kinds), `storage` (the promises). Whatever speaks HTTP does so through `http`, the one module that touches such a
//! library; other programs are run by `process`; passwords come through `secret`.
//!
//! Behaviour that every kind needs is a wrapper around a storage and never part of a kind. Each keeps the promises of
//! what it wraps and adds its own, which stand at its type. They are made to be put around each other in this order,
//! from the inside:
//!
//! ```text
//! kind -> TimeoutStorage -> ConfirmStorage -> LimitStorage -> RetryStorage -> CacheStorage -> ReadOnlyStorage
//! ```
//!
//! A write is confirmed by a question with a time limit of its own, a call waits for its turn outside those limits, and pauses before a repetition without holding a turn; a copy in
//! the cache needs none of that; a trial run sees all of it. Every one of them can be left out: the cache gains
//! nothing where [`Capabilities::local`] is set, and whoever wants to know what the storage really holds (a check)
//! must go past it.
//!
//! Invariant: this crate knows nothing of encryption or file formats. Of a repository's layout it knows two things: the
//! cache the names of the folders that it may copy, and the local directory that `config` shows who may read.
//!
//! Invariant: nothing here prints, reads the environment or the home folder; all of that comes in as values.

pub mod azure;
mod behaviour;
mod buffers;
pub mod cache;
mod confirm;
mod crc32c;
mod error;
mod failure;
mod fresh_secret;
pub mod gcs;
mod http;
mod key_prefix;
mod limit;
pub mod local;
mod location;
pub mod memory;
mod oauth;
mod open;
mod options;
mod pace;
mod path;
pub mod probe;
mod process;
mod ranged;
mod rclone;
mod read_only;
pub mod rest;
mod retry;
mod s3;
mod secret;
pub mod sftp;
mod storage;
mod surroundings;
mod temporary_name;
mod timeout;
mod turns;
mod units;
pub mod webdav;

pub use azure::AzureLocation;
pub use behaviour::{Behaviour, RetryObserver};
pub use buffers::{Buffer, Buffers};
pub use cache::{
    CacheDirectory, CacheFolder, CacheSettings, CacheStorage, CacheTable, CacheTables,
    NewCacheTable,
};
pub use confirm::ConfirmStorage;
pub use error::{ErrorKind, Operation, Result, Retry, StorageError};
pub use gcs::GcsLocation;
pub use limit::LimitStorage;
pub use local::{LocalLocation, LocalStorage};
pub use location::{Location, LocationError};
pub use memory::MemoryStorage;
pub use open::{OpenError, OpenSettings, Opened, open};
pub use options::{OPTION_GROUPS, OptionError, OptionGroup, OptionInfo, Options};
pub use pace::Pace;
pub use path::{InvalidPath, StoragePath};
pub use probe::Probe;
pub use rclone::RcloneLocation;
pub use read_only::ReadOnlyStorage;
pub use rest::RestLocation;
pub use retry::{RetryPolicies, RetryPolicy, RetryStorage};
pub use s3::S3Location;
pub use sftp::{SftpLocation, SftpStorage};
pub use storage::{ByteRange, Capabilities, Class, FileInfo, Storage, WriteMode};
pub use surroundings::Surroundings;
pub use timeout::{TimeLimits, TimeoutStorage};
pub use units::{parse_duration, parse_rate};
pub use webdav::WebdavLocation;
