//! A storage in a folder of a WebDAV server (RFC 4918).
//!
//! How the promises of [`crate::Storage`] are kept:
//! - A file is sent under a temporary name into the folder of its final one, and looked at there; then `MOVE` gives it its
//!   final name. Temporary names hold a `~`, which no [`crate::StoragePath`] can. Those older than a day, by the
//!   server's clock, are removed by the first write after a listing.
//! - [`crate::WriteMode::New`] is a `MOVE` with `Overwrite: F`. Servers look before they rename, and most do it in two steps, so
//!   `atomic_new` is not promised. [`crate::WriteMode::Replace`] is one with `Overwrite: T`, for which most servers remove
//!   the old file first, so `atomic_replace` is not promised. Neither tells a client which it does.
//! - `MOVE` and `DELETE` take a whole folder where one has the name, so what has the name is looked at before.
//! - Listings ask each folder for what lies in it, several at a time: many servers refuse to answer for all depths at once.
//!   A folder that vanishes meanwhile is empty. What a server says of an entry that it cannot show is an error, not a hole.
//! - A server that does not know ranges sends the whole file, and the range is cut from it as it passes.
//!
//! What a status means differs from server to server (a `MOVE` to a missing folder is 403, 404, 409 or 500), so a refusal is
//! looked into before it is believed.
//!
//! From the inside out: [`multistatus`] (what a server lists), `digest` (RFC 7616), `sign_in`, `client` (requests), `look`, `walk`,
//! `read`, `folders`, `write` (what the calls of a storage need), `storage`.

mod client;
mod digest;
mod failure;
mod folders;
mod location;
mod look;
pub mod multistatus;
mod options;
mod read;
mod sign_in;
mod storage;
mod walk;
mod write;

pub(crate) use client::WebdavClient;
pub(crate) use location::EXAMPLE;
pub use location::WebdavLocation;
pub(crate) use options::{OPTIONS, WebdavOptions};
pub(crate) use storage::WebdavStorage;
