//! A repository as a read-only folder of the operating system, through FUSE.
//!
//! Folders above the snapshots are made of path templates (`hosts/%h/%T`); below each stands its tree. Nothing is read
//! before somebody looks at it; trees and blobs go through caches whose size is bounded.
//!
//! Invariants:
//! - The FUSE library is used in `fuse` alone; `browser` answers in words of its own.
//! - What cannot be read is an error for whoever touches it, and told once; it never looks like an empty file or folder.
//! - What is shown in a snapshot's tree does not change while it is mounted, so the kernel may keep it.

mod browser;
mod cache;
mod directory;
mod error;
mod file;
mod fuse;
mod inodes;
mod layout;
mod mountpoint;
mod options;
mod reports;
mod template;
mod views;

pub use error::{Error, ErrorKind, Result};
pub use fuse::{Mounted, Unmounted, mount};
pub use mountpoint::check as check_mountpoint;
pub use options::{Options, READ_CACHE_BYTES};
pub use template::{PathTemplate, TimeTemplate};
