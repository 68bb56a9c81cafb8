//! Azure Blob Storage: block blobs in a container, over the service's REST interface.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - A blob appears when it is put, or when the list of its blocks is: both are one step. What an upload that broke off has
//!   left are blocks that no list names; no listing of ours shows them, and the service removes them after a week.
//! - A new file is decided by the service (`If-None-Match: *`).
//! - Each request with bytes names their MD5, and the service refuses what is not that. A blob that was put whole is
//!   confirmed by the MD5 of the answer, one of blocks by its size.
//! - A block is named by its content. So a write that is repeated, by whomever, asks which blocks are there and sends those that are not.
//!
//! Requests are of version 2021-12-02 of the interface ([`client::VERSION`]): the first that knows the tier Cold.

mod blocks;
mod client;
mod failure;
mod listing;
mod location;
mod options;
mod sign_in;
mod signature;
mod storage;
mod token;

pub use location::AzureLocation;
pub(crate) use location::EXAMPLE;
pub(crate) use options::{AzureOptions, OPTIONS};
pub(crate) use storage::AzureStorage;
