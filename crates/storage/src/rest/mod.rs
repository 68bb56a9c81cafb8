//! A server of restic's REST protocol, versions 1 and 2.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - The protocol knows `config` and five folders, flat: the folder of `data/ab/abcd…` is added here. A server that says
//!   with a header ([`protocol`]) that it is one of ours holds every other name too, decides itself whether a file is new,
//!   replaces in one step, and says what it has stored.
//! - Any other server is asked before a new file is sent whether there is one, and after it what it has.
//! - A server that does not know ranges sends the whole file, and the range is cut from it.
//!
//! `rclone:` speaks the same protocol over the pipes of a process, with the same client and storage.

mod client;
mod failure;
mod listing;
mod location;
mod options;
pub mod protocol;
mod storage;

pub(crate) use client::{Connect, Credentials, RestClient};
pub(crate) use location::EXAMPLE;
pub use location::RestLocation;
pub(crate) use options::{OPTIONS, RestOptions};
pub(crate) use storage::RestStorage;
