//! Reading a file that the target holds.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use strongroom_repository::restore::{ReadAt, TargetErrorKind, TargetPath, TargetResult};

use super::OPEN;
use super::dirs::Entry;
use super::failure::{During, fail};

/// A regular file, open for reading.
pub(super) struct OpenFile {
    path: TargetPath,
    fd: OwnedFd,
}

impl OpenFile {
    pub(super) fn open(path: &TargetPath, at: &Entry<'_>) -> TargetResult<Self> {
        // Opening a fifo or a device would have effects; O_NONBLOCK covers the moment between the look and the open.
        let stat = rustix::fs::statat(&at.dir, at.name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
            .during(path, "open")?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(fail(
                TargetErrorKind::Changed,
                path,
                "open",
                "it is no regular file",
            ));
        }
        let fd = rustix::fs::openat(&at.dir, at.name, OPEN | OFlags::NONBLOCK, Mode::empty())
            .during(path, "open")?;
        Ok(Self {
            path: path.clone(),
            fd,
        })
    }
}

impl ReadAt for OpenFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> TargetResult<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pread(&self.fd, rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno).during(&self.path, "read"),
            }
        }
        Ok(done)
    }
}
