//! One entry of a directory tree with everything that a restore must bring back.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

/// An entry as the file system tells it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub kind: FileType,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub owner: (u32, u32),
    /// Seconds and nanoseconds.
    pub modified: (i64, u64),
    pub size_bytes: u64,
    pub allocated_bytes: u64,
    pub device: (u32, u32),
    /// Device and inode number: the same for all names of one file.
    pub identity: (u64, u64),
    pub link_target: Option<Vec<u8>>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// An open directory. Everything below is reached relative to it, so no path is ever too long.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    pub fn open(path: &std::path::Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(
            path,
            OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?))
    }

    pub fn open_below(&self, name: &[u8]) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(
            &self.0,
            name,
            flags,
            Mode::empty(),
        )?))
    }

    pub fn open_file(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// All names, sorted, without `.` and `..`.
    pub fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The directory itself.
    pub fn own_entry(&self) -> io::Result<Entry> {
        self.entry(b".")
    }

    pub fn entry(&self, name: &[u8]) -> io::Result<Entry> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let link_target = match kind {
            FileType::Symlink => {
                Some(rustix::fs::readlinkat(&self.0, name, Vec::new())?.into_bytes())
            }
            _ => None,
        };
        Ok(Entry {
            kind,
            mode: stat.st_mode & 0o7777,
            owner: (stat.st_uid, stat.st_gid),
            modified: modified(&stat),
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            allocated_bytes: u64::try_from(stat.st_blocks).unwrap_or(0) * 512,
            device: (
                rustix::fs::major(stat.st_rdev),
                rustix::fs::minor(stat.st_rdev),
            ),
            identity: (stat.st_dev, stat.st_ino),
            link_target,
            xattrs: self.xattrs(name)?,
        })
    }

    fn xattrs(&self, name: &[u8]) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let path = through_proc(self.0.as_fd(), name);
        let list = grown(|buffer| rustix::fs::llistxattr(&path, buffer))?;
        let mut found = BTreeMap::new();
        for xattr in list.split(|b| *b == 0).filter(|n| !n.is_empty()) {
            let c_name = CString::new(xattr)?;
            found.insert(
                xattr.to_vec(),
                grown(|buffer| rustix::fs::lgetxattr(&path, c_name.as_c_str(), buffer))?,
            );
        }
        Ok(found)
    }
}

fn modified(stat: &Stat) -> (i64, u64) {
    #[allow(
        clippy::unnecessary_cast,
        reason = "the fields differ between architectures"
    )]
    (stat.st_mtime as i64, stat.st_mtime_nsec as u64)
}

/// There is no `lgetxattrat` before Linux 6.13; the kernel's own link to an open directory does the same.
pub(crate) fn through_proc(folder: BorrowedFd<'_>, name: &[u8]) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(OsStr::from_bytes(name))
}

/// Calls with a buffer that is large enough for any extended attribute (the kernel's limit is 64 KiB).
fn grown(call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    match call(&mut buffer) {
        Ok(len) => {
            buffer.truncate(len);
            Ok(buffer)
        }
        Err(rustix::io::Errno::NOTSUP) => Ok(Vec::new()),
        Err(e) => Err(e.into()),
    }
}
