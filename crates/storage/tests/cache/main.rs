//! The cache: what it saves, and that nothing which happens to it is ever seen by a caller.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod damage;
mod usage;
