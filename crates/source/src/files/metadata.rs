//! What the system says of an entry, in the words of the format.

use rustix::fs::{FileType, Stat};
use strongroom_repository::format::{Mode, Node, NodeKind};

use crate::files::entry::Context;

/// What tells one file or directory from every other one of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub device: u64,
    pub inode: u64,
}

impl Identity {
    pub fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

/// The kind of an entry.
pub(super) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A node as restic makes one: links but for directories, fifos and sockets; a size for files alone.
pub(super) fn node(name: &[u8], stat: &Stat, context: &Context) -> Node {
    let mut node = Node::new(name, kind(file_type(stat)), Mode::default());
    apply(&mut node, stat, context);
    node
}

/// Sets everything of a node that `stat` tells, but for name and kind.
pub(super) fn apply(node: &mut Node, stat: &Stat, context: &Context) {
    node.mode = Mode::from_unix(stat.st_mode);
    node.mtime = context.time(stat.st_mtime, stat.st_mtime_nsec);
    node.atime = if context.options.with_atime {
        context.time(stat.st_atime, stat.st_atime_nsec)
    } else {
        node.mtime
    };
    node.ctime = context.time(stat.st_ctime, stat.st_ctime_nsec);
    node.uid = stat.st_uid;
    node.gid = stat.st_gid;
    node.user = context.owners.user(stat.st_uid);
    node.group = context.owners.group(stat.st_gid);
    node.inode = stat.st_ino;
    node.device_id = stat.st_dev;
    match node.kind {
        NodeKind::File => {
            node.size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
            node.links = stat.st_nlink;
        }
        NodeKind::Symlink => node.links = stat.st_nlink,
        NodeKind::BlockDevice | NodeKind::CharDevice => {
            node.links = stat.st_nlink;
            node.device = stat.st_rdev;
        }
        NodeKind::Dir | NodeKind::Fifo | NodeKind::Socket | NodeKind::Other(_) => {}
    }
}

fn kind(file_type: FileType) -> NodeKind {
    match file_type {
        FileType::RegularFile => NodeKind::File,
        FileType::Directory => NodeKind::Dir,
        FileType::Symlink => NodeKind::Symlink,
        FileType::BlockDevice => NodeKind::BlockDevice,
        FileType::CharacterDevice => NodeKind::CharDevice,
        FileType::Fifo => NodeKind::Fifo,
        FileType::Socket => NodeKind::Socket,
        FileType::Unknown => NodeKind::Other("irregular".into()),
    }
}
