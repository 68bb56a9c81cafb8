//! Whatever rclone reaches, through `rclone serve restic --stdio`: restic's REST protocol over the pipes of a process.
//!
//! The storage is that of `rest:`; what is here starts the process and starts it anew where it has ended. It lives as long
//! as the storage and ends with all of its own processes when that is dropped.

mod client;
mod failure;
mod location;
mod options;
mod storage;

pub(crate) use location::EXAMPLE;
pub use location::RcloneLocation;
pub(crate) use options::{OPTIONS, RcloneOptions};
pub(crate) use storage::open;
