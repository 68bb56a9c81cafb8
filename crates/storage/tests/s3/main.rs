//! The storage in a bucket against moto, in itself and with what networks and servers do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod opened;
mod suites;
