//! One existing entry, open so that its attributes can be set.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Timestamps, Uid};
use rustix::io::{Errno, Result};
use strongroom_repository::format::NodeKind;

use super::OPEN;

/// An entry by its descriptor.
///
/// Where the entry may not or cannot be opened for reading, the descriptor is one of its place alone (`O_PATH`). Calls
/// that do not take such a descriptor go through `/proc/self/fd`, which names the entry and nothing else.
pub(super) struct Object<'a> {
    fd: Held<'a>,
    place_only: bool,
    stat: Stat,
}

enum Held<'a> {
    Owned(OwnedFd),
    Borrowed(BorrowedFd<'a>),
}

impl<'a> Object<'a> {
    /// The entry of that name; a symbolic link is not followed.
    pub(super) fn open(dir: impl AsFd, name: &[u8]) -> Result<Self> {
        let dir = dir.as_fd();
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let readable = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => OPEN | OFlags::NONBLOCK,
            FileType::Directory => OPEN | OFlags::DIRECTORY,
            _ => OPEN | OFlags::PATH,
        };
        let (fd, place_only) = match rustix::fs::openat(dir, name, readable, Mode::empty()) {
            Ok(fd) => (fd, readable.contains(OFlags::PATH)),
            Err(Errno::ACCESS) => {
                let flags = OPEN | OFlags::PATH;
                (rustix::fs::openat(dir, name, flags, Mode::empty())?, true)
            }
            Err(errno) => return Err(errno),
        };
        // Only now it is certain what is open.
        let stat = rustix::fs::fstat(&fd)?;
        Ok(Self {
            fd: Held::Owned(fd),
            place_only,
            stat,
        })
    }

    /// A directory whose descriptor is known.
    pub(super) fn directory(dir: impl AsFd) -> Result<Self> {
        let flags = OPEN | OFlags::DIRECTORY;
        let (fd, place_only) = match rustix::fs::openat(dir.as_fd(), c".", flags, Mode::empty()) {
            Ok(fd) => (fd, false),
            Err(Errno::ACCESS) => (
                dir.as_fd().try_clone_to_owned().map_err(|_| Errno::MFILE)?,
                true,
            ),
            Err(errno) => return Err(errno),
        };
        let stat = rustix::fs::fstat(&fd)?;
        Ok(Self {
            fd: Held::Owned(fd),
            place_only,
            stat,
        })
    }

    /// A file that is open.
    pub(super) fn of_file(fd: BorrowedFd<'a>) -> Result<Self> {
        Ok(Self {
            stat: rustix::fs::fstat(fd)?,
            fd: Held::Borrowed(fd),
            place_only: false,
        })
    }

    /// A file that is open and whose owner and mode are known.
    pub(super) fn with_stat(fd: BorrowedFd<'a>, stat: Stat) -> Self {
        Self {
            fd: Held::Borrowed(fd),
            place_only: false,
            stat,
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.fd {
            Held::Owned(fd) => fd.as_fd(),
            Held::Borrowed(fd) => *fd,
        }
    }

    fn proc_path(&self) -> String {
        format!("/proc/self/fd/{}", self.fd().as_raw_fd())
    }

    pub(super) fn stat(&self) -> &Stat {
        &self.stat
    }

    pub(super) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub(super) fn is_a(&self, kind: &NodeKind) -> bool {
        match kind {
            NodeKind::File => self.kind() == FileType::RegularFile,
            NodeKind::Dir => self.kind() == FileType::Directory,
            NodeKind::Symlink => self.kind() == FileType::Symlink,
            NodeKind::BlockDevice => self.kind() == FileType::BlockDevice,
            NodeKind::CharDevice => self.kind() == FileType::CharacterDevice,
            NodeKind::Fifo => self.kind() == FileType::Fifo,
            NodeKind::Socket => self.kind() == FileType::Socket,
            NodeKind::Other(_) => false,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        Mode::from_raw_mode(self.stat.st_mode) & Mode::from_bits_truncate(0o7777)
    }

    pub(super) fn is_mine(&self) -> bool {
        self.stat.st_uid == rustix::process::geteuid().as_raw()
    }

    pub(super) fn chmod(&self, mode: Mode) -> Result<()> {
        if self.place_only {
            rustix::fs::chmod(self.proc_path(), mode)
        } else {
            rustix::fs::fchmod(self.fd(), mode)
        }
    }

    pub(super) fn chown(&self, uid: Option<Uid>, gid: Option<Gid>) -> Result<()> {
        rustix::fs::chownat(self.fd(), c"", uid, gid, AtFlags::EMPTY_PATH)
    }

    pub(super) fn set_times(&self, times: &Timestamps) -> Result<()> {
        if self.place_only {
            rustix::fs::utimensat(self.fd(), c"", times, AtFlags::EMPTY_PATH)
        } else {
            rustix::fs::futimens(self.fd(), times)
        }
    }

    pub(super) fn list_extended(&self, buffer: &mut [u8]) -> Result<usize> {
        if self.place_only {
            rustix::fs::listxattr(self.proc_path(), buffer)
        } else {
            rustix::fs::flistxattr(self.fd(), buffer)
        }
    }

    pub(super) fn get_extended(&self, name: &str, buffer: &mut [u8]) -> Result<usize> {
        if self.place_only {
            rustix::fs::getxattr(self.proc_path(), name, buffer)
        } else {
            rustix::fs::fgetxattr(self.fd(), name, buffer)
        }
    }

    pub(super) fn set_extended(&self, name: &str, value: &[u8]) -> Result<()> {
        let flags = rustix::fs::XattrFlags::empty();
        if self.place_only {
            rustix::fs::setxattr(self.proc_path(), name, value, flags)
        } else {
            rustix::fs::fsetxattr(self.fd(), name, value, flags)
        }
    }

    pub(super) fn remove_extended(&self, name: &[u8]) -> Result<()> {
        if self.place_only {
            rustix::fs::removexattr(self.proc_path(), name)
        } else {
            rustix::fs::fremovexattr(self.fd(), name)
        }
    }
}
