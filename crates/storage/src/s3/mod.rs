//! A bucket of Amazon S3, or of a server that speaks the same protocol, or a part of one.
//!
//! How the promises of [`crate::Storage`] are kept:
//! - A file is one object, whose key is its name behind the prefix of the address; an object appears whole or not at all.
//! - What is long goes in parts, and appears when they are put together. A write that is tried again with the same bytes goes
//!   on with the upload that was begun ([`uploads`]). What a killed process has left is given up by the next one a day later.
//! - [`crate::WriteMode::New`] is the condition `If-None-Match: *`. Whether a server keeps it is found out ([`put`]); until
//!   that is known, and where it does not, it is asked for the file before, and `atomic_new` is not promised. A file in parts
//!   is asked for in any case, but with AWS.
//! - Every body is vouched for by the hash that is signed, and by a checksum that the server compares: SHA-256, or MD5 where
//!   it does not know that. What it keeps is confirmed by its checksum or its tag, and otherwise by asking for the file.
//! - A removal is preceded by a look, since the protocol does not tell whether there was anything.
//!
//! The signature is computed here ([`sign`]), and keys are looked for in the usual places ([`credentials`]) by way of what is
//! handed in: a library for this reads the environment by itself or is as large as all of this.

mod abilities;
mod client;
mod credentials;
mod endpoint;
mod failure;
mod listing;
mod location;
mod lock;
mod metadata;
mod multipart;
mod options;
mod profile;
mod put;
mod read;
mod request;
mod sign;
mod storage;
mod uploads;
mod web_identity;
mod xml;

pub(crate) use location::EXAMPLE;
pub use location::S3Location;
pub(crate) use options::{OPTIONS, S3Options};
pub(crate) use storage::S3Storage;

use crate::Pace;
use crate::failure::Failure;

/// Result of a step that does not know yet which call it belongs to.
type Step<T> = Result<T, Failure>;

/// The storage at a place; connects to nothing yet.
pub(crate) fn open(
    location: &S3Location,
    options: S3Options,
    paces: (Pace, Pace),
) -> Result<S3Storage, Failure> {
    let client = client::S3Client::new(location, &options, paces)?;
    Ok(S3Storage::new(client, options, location.to_string()))
}
