//! What `stat` shows.

use std::time::{Duration, SystemTime};

use fuser::{FileAttr, FileType, INodeNo};
use strongroom_repository::format::{Node, NodeKind, Time};

use crate::browser::Seen;

/// The unit of `st_blocks`, whatever the file system's own blocks are.
const BLOCK_BYTES: u64 = 512;

/// Who everything above the snapshots belongs to, and since when it is there.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    pub uid: u32,
    pub gid: u32,
    pub mounted: SystemTime,
    /// Everything in snapshots belongs to root.
    pub owner_root: bool,
}

impl Surroundings {
    /// What `stat` shows of something.
    pub fn attributes(&self, number: u64, seen: &Seen) -> FileAttr {
        match seen {
            Seen::Folder => self.above(number, FileType::Directory, self.mounted, 0),
            Seen::Link(target) => {
                self.above(number, FileType::Symlink, self.mounted, target.len() as u64)
            }
            Seen::Snapshot(time) => self.above(number, FileType::Directory, system_time(time), 0),
            Seen::Entry(..) => match seen.node() {
                Some(node) => self.entry(number, node),
                // A position that is none has no attributes; nobody has a number of it.
                None => self.above(number, FileType::RegularFile, self.mounted, 0),
            },
        }
    }

    fn above(&self, number: u64, kind: FileType, time: SystemTime, size: u64) -> FileAttr {
        FileAttr {
            ino: INodeNo(number),
            size,
            blocks: 0,
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind,
            perm: if kind == FileType::Symlink {
                0o777
            } else {
                0o555
            },
            nlink: 1,
            uid: self.uid,
            gid: self.gid,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    fn entry(&self, number: u64, node: &Node) -> FileAttr {
        let size = match node.kind {
            NodeKind::File => node.size_bytes,
            NodeKind::Symlink => node.link_target.len() as u64,
            _ => 0,
        };
        let (uid, gid) = match self.owner_root {
            true => (0, 0),
            false => (node.uid, node.gid),
        };
        FileAttr {
            ino: INodeNo(number),
            size,
            blocks: size.div_ceil(BLOCK_BYTES),
            atime: system_time(&node.atime),
            mtime: system_time(&node.mtime),
            ctime: system_time(&node.ctime),
            crtime: system_time(&node.ctime),
            kind: file_type(&node.kind),
            perm: u16::try_from(node.mode.unix_permissions()).unwrap_or(0),
            nlink: links(node),
            uid,
            gid,
            // The kernel's 32 bits are laid out as the lower half of `st_rdev`; larger numbers do not exist on Linux.
            rdev: u32::try_from(node.device).unwrap_or(0),
            blksize: 4096,
            flags: 0,
        }
    }
}

/// One link for a directory says that its number of subdirectories is not known: those of the source may have been left out.
fn links(node: &Node) -> u32 {
    match node.kind {
        NodeKind::Dir => 1,
        _ => u32::try_from(node.links.max(1)).unwrap_or(u32::MAX),
    }
}

/// The type of an entry that is shown.
pub fn kind_of(seen: &Seen) -> FileType {
    match seen {
        Seen::Folder | Seen::Snapshot(_) => FileType::Directory,
        Seen::Link(_) => FileType::Symlink,
        Seen::Entry(..) => seen
            .node()
            .map_or(FileType::RegularFile, |node| file_type(&node.kind)),
    }
}

fn file_type(kind: &NodeKind) -> FileType {
    match kind {
        NodeKind::Dir => FileType::Directory,
        NodeKind::Symlink => FileType::Symlink,
        NodeKind::BlockDevice => FileType::BlockDevice,
        NodeKind::CharDevice => FileType::CharDevice,
        NodeKind::Fifo => FileType::NamedPipe,
        NodeKind::Socket => FileType::Socket,
        // Directories leave out what has another kind.
        NodeKind::File | NodeKind::Other(_) => FileType::RegularFile,
    }
}

/// Times that the system cannot hold do not occur: a [`Time`] lies between the years 0 and 9999.
fn system_time(time: &Time) -> SystemTime {
    let seconds = time.unix_seconds();
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let whole = match seconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(whole),
        false => SystemTime::UNIX_EPOCH.checked_add(whole),
    };
    let nanoseconds = Duration::from_nanos(time.nanosecond().into());
    whole
        .and_then(|whole| whole.checked_add(nanoseconds))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
