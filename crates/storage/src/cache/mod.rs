//! A cache in a local directory for files that are small, read often and never change.
//!
//! Layout: `ROOT/CACHEDIR.TAG`, and a folder `ROOT/NAME/` for each storage (the name is the identity of what lies
//! in it), with an empty file `last-used`, whose time says when, and copies under the names that they have in the storage.
//! Beside them lie tables ([`CacheTables`]), which the owner of the storage made of them.
//!
//! What is cached ([`CacheStorage`]): files with a SHA-256 as their name, in `index` and `snapshots`, and those of
//! [`crate::Class::Metadata`] in `data`. The name is what makes a copy trustworthy: its content is hashed before a process
//! uses it for the first time, so a copy that a crash, a bad disk or another hand has changed is found and fetched
//! again. `config`, `keys` and `locks` are never cached: the first two decide about access, the last change all the time.
//!
//! Promises:
//! - The cache can be deleted at any time, also while it is used, in whole or in part.
//! - No failure of the cache fails a call. After one that a retry is unlikely to mend (a full disk) the process
//!   stops storing and goes to the storage; [`CacheStorage::problem`] tells what it was.
//! - Readers of one file at the same time fetch it once.
//! - The size of all copies below the root stays at about the bound that was set: the least recently used go
//!   first. What this process has used stays; where only that is left, no more is stored. Other processes that
//!   store at the same time can exceed the bound by what they store.
//!
//! What is deliberately absent: sync. After a power cut copies may be empty or torn; their hash shows it. And any
//! answer about what exists: listings and `stat` always ask the storage. A file that another process has
//! deleted may still be read from here until a listing shows that it is gone.

mod bound;
mod copies;
mod directory;
mod files;
mod rules;
mod storage;
mod tables;
mod turns;

pub use directory::{CacheDirectory, CacheFolder};
pub use storage::{CacheSettings, CacheStorage};
pub use tables::{CacheTable, CacheTables, NewCacheTable};
