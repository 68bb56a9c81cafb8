//! The storage in Azure against azurite, in itself and with what networks and people do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../objects/mod.rs"]
mod objects;

mod faults;
mod requests;
mod resumed;
mod sign_in;
mod suites;
