//! Signatures: what they notice, and that nothing else looks like tampering.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compact;
mod crash;
mod damage;
mod scene;
mod stories;
mod tampering;
mod writing;
