//! Backing up: reading a source and storing what the repository does not have.

mod source;

pub use source::{Children, Content, Entry, EntryError, Handle, LeftOut, LeftOutReason, Source};
