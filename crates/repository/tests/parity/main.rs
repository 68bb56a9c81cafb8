//! Parity: what is lost or damaged comes back byte for byte, or it is said that it cannot; nothing else is touched.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod crash;
mod keep;
mod property;
mod recover;
mod restic;
mod vault;
