//! A node: one entry of a tree with all that is known of it.

use std::collections::BTreeMap;

use crate::format::{Id, Time};

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A block device (`dev` in the format).
    BlockDevice,
    /// A character device (`chardev`).
    CharDevice,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A kind that this program does not know; kept as it was read.
    Other(Box<str>),
}

/// Permission and type bits in the layout of Go's `os.FileMode`, which the format uses.
///
/// Bits 0 to 8 are the permissions; setuid is bit 23, setgid 22, sticky 20; directory 31, symlink 27, device 26,
/// character device 21, fifo 25, socket 24, irregular 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mode(pub u32);

/// An extended attribute; ACLs are the attributes `system.posix_acl_access` and `system.posix_acl_default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// Its name with the name space. restic holds it as text; bytes that are not UTF-8 cannot be kept.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// File name as raw bytes, without any folder.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeKind,
    /// Permissions and type.
    pub mode: Mode,
    /// Last change of the content.
    pub mtime: Time,
    /// Last read.
    pub atime: Time,
    /// Last change of the metadata.
    pub ctime: Time,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Owner's name; empty where it has none.
    pub user: String,
    /// Group's name; empty where it has none.
    pub group: String,
    /// Inode number on the source.
    pub inode: u64,
    /// Number of the source's file system.
    pub device_id: u64,
    /// Bytes of a regular file; zero otherwise.
    pub size_bytes: u64,
    /// Number of hard links.
    pub links: u64,
    /// What a symbolic link points to; raw bytes.
    pub link_target: Vec<u8>,
    /// Extended attributes, ACLs among them.
    pub extended_attributes: Vec<ExtendedAttribute>,
    /// Attributes of other systems (Windows), kept as they were read: name and JSON.
    pub generic_attributes: BTreeMap<String, String>,
    /// Number of a device node (`st_rdev`).
    pub device: u64,
    /// Blobs of a file's content in order; `None` for what is no file.
    pub content: Option<Vec<Id>>,
    /// The tree of a directory.
    pub subtree: Option<Id>,
    /// What went wrong when the entry was read; empty if nothing did.
    pub error: String,
}
