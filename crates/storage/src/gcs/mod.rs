//! Google Cloud Storage: objects in a bucket, over its JSON interface.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - An object appears when its upload is complete, in one step. What broke off before that is in no listing, and the service forgets it after
//!   a week.
//! - A new file is decided by the service (`ifGenerationMatch=0`).
//! - Each upload names the CRC-32C of the whole file, which the service compares before the object appears; its answer is
//!   compared once more.
//! - Larger files go in an upload session. After a break the session is asked how far it has come, and goes on from there. Sessions are kept in
//!   memory, so that a write which is repeated finds its own; their addresses let anybody write who knows them, and are neither shown nor stored.

mod client;
mod credentials;
mod failure;
mod listing;
mod location;
mod options;
mod session;
mod storage;
mod token;
mod upload;

pub(crate) use location::EXAMPLE;
pub use location::GcsLocation;
pub(crate) use options::{GcsOptions, OPTIONS};
pub(crate) use storage::GcsStorage;
