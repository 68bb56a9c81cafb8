//! What a backup reads from.

use std::io::Read;

use crate::format::Node;

/// Something that could not be read. The backup goes on without it and is partial.
#[derive(Debug, thiserror::Error)]
#[error("{during} {}: {message}", String::from_utf8_lossy(.path))]
pub struct EntryError {
    /// Path on the source; raw bytes.
    pub path: Vec<u8>,
    /// What was being done: `open`, `read`, `list`, `lstat`, `xattr` …
    pub during: &'static str,
    /// What the system said.
    pub message: String,
    /// The entry has vanished since it was listed.
    pub vanished: bool,
}

/// One entry of a source: a file, a directory, …
pub struct Entry {
    /// What is known without further calls: name, kind, mode, times, owners with names, inode, size, links, device.
    ///
    /// `extended_attributes`, `link_target`, `content` and `subtree` are not set yet.
    pub node: Node,
    /// Path on the source, for messages and `--verbose`; raw bytes.
    pub source_path: Vec<u8>,
    /// How to get at the rest.
    pub handle: Box<dyn Handle>,
}

/// Access to an entry of a source.
///
/// Called on threads that may block, never on an async runtime. Calls may come long after the entry was listed, so
/// every one of them may find that it has changed or gone, and says so with an [`EntryError`].
pub trait Handle: Send + Sync {
    /// Fills in what costs further calls: extended attributes, ACLs, the target of a symbolic link.
    ///
    /// What could be read is filled in even where an error is returned.
    fn complete(&self, node: &mut Node) -> Result<(), EntryError>;

    /// The entries of a directory, each name once, in the order of the names' bytes. An entry that cannot be looked at
    /// is an error in its place; what the user excluded is left out.
    fn children(&self) -> Result<Vec<Result<Entry, EntryError>>, EntryError>;

    /// Opens a regular file (or a stream) to be read once from its beginning.
    fn open(&self) -> Result<Box<dyn Content>, EntryError>;
}

/// An open file.
pub trait Content: Read + Send {
    /// Sets the node's times, size, owners and mode again from the open file, so that metadata and content are of one object.
    fn refresh(&self, node: &mut Node) -> Result<(), EntryError>;

    /// Called once after the end of the content was read: whether the source is content with it (a command's exit status).
    fn finish(&mut self) -> Result<(), EntryError> {
        Ok(())
    }
}
