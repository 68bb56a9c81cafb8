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

/// What a backup reads: a tree of entries below a root that has no name.
pub trait Source: Send + Sync {
    /// The absolute paths that the snapshot is of, for its `paths`. Bytes that are not UTF-8 are replaced, as restic does.
    fn paths(&self) -> Vec<String>;

    /// The root: its children are the top entries of the snapshot, and it can be neither completed nor opened.
    fn root(&self) -> Box<dyn Handle>;

    /// Whether a snapshot without some of the entries would be worth nothing, as with the output of a command: then any
    /// [`EntryError`] means that no snapshot is published. Otherwise the backup goes on and is partial.
    fn all_or_nothing(&self) -> bool {
        false
    }

    /// Makes calls that wait for outside data (a command's output) end soon with an error. Called from any thread when
    /// the backup is cancelled.
    fn interrupt(&self) {}

    /// What was left out so far although no pattern of the user's excludes it. Complete once the tree has been walked.
    fn left_out(&self) -> Vec<LeftOut> {
        Vec::new()
    }
}

/// Something that a source passed over on purpose, so that nothing is missing in silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Path on the source; raw bytes.
    pub path: Vec<u8>,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeftOutReason {
    /// The repository that is being written to, or our cache.
    Own,
    /// On another file system than the path that was asked for; a mount point is stored as an empty directory.
    OtherFileSystem,
    /// The content of a directory that is marked as not to be backed up.
    Tagged,
    /// A file above the size limit.
    TooLarge,
    /// A symbolic link that leads back to a folder it lies in: stored as a link, not followed.
    SymlinkLoop,
    /// A symbolic link; the policy is to skip them.
    Symlink,
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
    ///
    /// The names are read before this returns; the entries are looked at while the iterator is read, so that a directory
    /// of a million files does not have to fit in memory.
    fn children(&self) -> Result<Children, EntryError>;

    /// Opens a regular file (or a stream) to be read once from its beginning.
    fn open(&self) -> Result<Box<dyn Content>, EntryError>;
}

/// The entries of a directory.
pub type Children = Box<dyn Iterator<Item = Result<Entry, EntryError>> + Send>;

/// An open file.
pub trait Content: Read + Send {
    /// Sets what the node says of times, size, owners, mode, links and inode to what the open file had *when it was
    /// opened*, so that metadata and content are of one object.
    ///
    /// Not what it has by now: a file that is written to while it is read would get the later time, and the next backup
    /// would take the torn content for unchanged. The number of bytes read is the engine's to set in `size_bytes`.
    fn refresh(&self, node: &mut Node) -> Result<(), EntryError>;

    /// Fills in what [`Handle::complete`] of its handle would, where the open file is a shorter way to it.
    ///
    /// What could be read is filled in even where an error is returned.
    fn complete(
        &self,
        handle: &dyn Handle,
        _source_path: &[u8],
        node: &mut Node,
    ) -> Result<(), EntryError> {
        handle.complete(node)
    }

    /// Called once after the end of the content was read: whether it is whole, as a command's exit status tells. On an
    /// error the entry must not be stored; a content that is dropped before was given up.
    fn finish(&mut self) -> Result<(), EntryError> {
        Ok(())
    }
}
