//! A storage in a folder of a server that is reached over SSH, by SFTP.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - A file is written under a temporary name in the folder of its final one, synced, measured and closed, all of it in
//!   one round trip; then it gets its final name, and the folder is synced, in another.
//! - [`crate::WriteMode::New`] is a second name for the file (`hardlink@openssh.com`), which a server refuses where the
//!   name is taken. Without that, it looks first and renames, and `atomic_new` is not promised from then on.
//! - [`crate::WriteMode::Replace`] is `posix-rename@openssh.com`. Without that, the old file may have to be removed first,
//!   and `atomic_replace` is not promised from then on.
//! - Temporary names hold a `~`, as those of a local directory do, which no [`crate::StoragePath`] can; restic's are
//!   hidden too and cannot be written. Our own that are older than a day are removed by the first write after a listing.
//! - Deletions are not synced one by one, but those in one top-level folder before the first one in another, as in a local
//!   directory.
//! - Files (0600) and folders (0700) are private, and for the group as well where the group can read `config`, as in restic.
//!
//! How it is fast where an answer takes long: pieces of a file are sent and asked for without waiting for the answers to those
//! before, several calls share a session, several sessions share the work, and the requests of one call that do not need
//! each other's answers go together. It relies on the draft for that: what concerns one file happens in the order of asking.
//!
//! SFTP says little of why it refuses, so a refusal without a reason is looked into (`reasons`).
//!
//! From the inside out: `request` and `reply` (bytes), `client` (one session), `handle` (what is open), `read`, `write`, `publish`, `walk`,
//! `folders` (what the calls of a storage need), `pool` (all sessions), `storage`. On the other side `connect`, `sign_in` and
//! `target` lead to a server; they read `known_hosts` and `ssh_config`. Only `connect` and `sign_in` touch the SSH library.

mod client;
mod connect;
mod failure;
mod features;
mod folders;
mod handle;
mod known_hosts;
mod location;
mod options;
mod paced;
mod patterns;
mod place;
mod pool;
mod publish;
mod read;
mod reasons;
mod removals;
mod reply;
mod request;
mod sign_in;
mod ssh_config;
mod storage;
mod target;
mod temporary;
mod tokens;
mod walk;
mod write;

pub(crate) use location::EXAMPLE;
pub use location::SftpLocation;
pub(crate) use options::{OPTIONS, SftpOptions};
pub use storage::SftpStorage;

use crate::Pace;

/// The storage at a place; connects to nothing yet.
pub(crate) fn open(
    location: &SftpLocation,
    options: SftpOptions,
    paces: (Pace, Pace),
) -> SftpStorage {
    let (sessions, times) = (options.connections, options.times);
    let connector = connect::Connector::new(location.clone(), options, paces);
    SftpStorage::new(
        location,
        pool::Pool::new(connector, sessions, times),
        sessions,
    )
}
