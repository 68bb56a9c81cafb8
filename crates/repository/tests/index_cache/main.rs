//! The index that this machine keeps answers as the index files do, whatever happens to it and to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod damage;
mod scene;
mod work;
