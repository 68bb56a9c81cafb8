//! The one place that knows the FUSE library.

mod attributes;
mod filesystem;
mod handles;
mod session;

pub use session::{Mounted, Unmounted, mount};
