//! Backing up: reading a source and storing what the repository does not have.

mod source;

pub use source::{Content, Entry, EntryError, Handle};
