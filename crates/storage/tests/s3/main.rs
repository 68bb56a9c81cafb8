//! The storage in a bucket against moto, in itself and with what networks and servers do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asked;
mod conditions;
mod errors;
mod opened;
mod parts;
mod sign_in;
mod suites;
mod work;
