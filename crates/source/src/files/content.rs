//! An open regular file.

use std::ffi::CStr;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Advice, FileType, OFlags, Stat, fstat};
use rustix::io::{Errno, retry_on_intr};
use strongroom_repository::backup::{Content, EntryError, Handle};
use strongroom_repository::format::Node;

use crate::files::directory::{no_follow, open_unnoticed};
use crate::files::entry::Context;
use crate::files::failure::Failure;
use crate::files::metadata::{apply, file_type};
use crate::files::xattr::Place;

/// Files shorter than this are read at once, so there is nothing to read ahead.
const ADVISED_BYTES: u64 = 1 << 20;

/// A regular file, read to whatever its end is by then.
pub(super) struct OpenFile {
    context: Arc<Context>,
    file: OwnedFd,
    /// As it was when the file was opened.
    stat: Stat,
    /// Bytes read so far.
    position: u64,
    /// The last read ended where the file ended when it was opened, although there was room for more.
    at_end: bool,
}

impl OpenFile {
    /// Opens what is to be a regular file. Something else in its place is an error, and is not waited for.
    pub fn open(
        context: &Arc<Context>,
        directory: &OwnedFd,
        name: &CStr,
        follow: bool,
    ) -> Result<Self, Failure> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow(follow);
        let file = match open_unnoticed(directory, name, flags) {
            Err(Errno::LOOP) if !follow => return Err(not_a_file()),
            // Another program holds a lease (Samba does): wait until it lets go, now that this is known to be a file.
            Err(Errno::AGAIN) => open_waiting(directory, name, follow)?,
            file => file.map_err(Failure::call("open"))?,
        };
        let stat = fstat(&file).map_err(Failure::call("stat"))?;
        if file_type(&stat) != FileType::RegularFile {
            return Err(not_a_file());
        }
        if size(&stat) >= ADVISED_BYTES {
            // Advice: a file system that knows none reads as well.
            let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        }
        Ok(Self {
            context: Arc::clone(context),
            file,
            stat,
            position: 0,
            at_end: false,
        })
    }

    fn read_file(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match rustix::io::read(&self.file, &mut *buffer) {
            Ok(length) => Ok(length),
            // Some file systems in user space take the flag for the content, too.
            Err(Errno::AGAIN) => {
                let flags = rustix::fs::fcntl_getfl(&self.file)?;
                rustix::fs::fcntl_setfl(&self.file, flags - OFlags::NONBLOCK)?;
                Ok(rustix::io::read(&self.file, buffer)?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn not_a_file() -> Failure {
    Failure::changed(
        "open",
        "no longer a regular file: replaced since it was listed",
    )
}

/// Opens a file and waits for a lease to be given up. Looks first, by a descriptor that opens nothing, that it is a file.
fn open_waiting(directory: &OwnedFd, name: &CStr, follow: bool) -> Result<OwnedFd, Failure> {
    let found = open_unnoticed_path(directory, name, follow).map_err(Failure::call("open"))?;
    if file_type(&fstat(&found).map_err(Failure::call("stat"))?) != FileType::RegularFile {
        return Err(not_a_file());
    }
    let same = crate::files::xattr::through_proc(&found, None);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(&same, flags, rustix::fs::Mode::empty()))
        .map_err(Failure::call("open"))
}

fn open_unnoticed_path(directory: &OwnedFd, name: &CStr, follow: bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | no_follow(follow);
    retry_on_intr(|| rustix::fs::openat(directory, name, flags, rustix::fs::Mode::empty()))
}

impl Read for OpenFile {
    /// A read that got all that the file was said to have, and less than it asked for, has met the end: nothing is asked
    /// again. Less than the file was said to have proves nothing, since a failing disk yields what it could read first.
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at_end {
            return Ok(0);
        }
        let length = self.read_file(buffer)?;
        self.position = self.position.saturating_add(length as u64);
        self.at_end = length > 0 && length < buffer.len() && self.position == size(&self.stat);
        Ok(length)
    }
}

impl Content for OpenFile {
    fn refresh(&self, node: &mut Node) -> Result<(), EntryError> {
        apply(node, &self.stat, &self.context);
        Ok(())
    }

    /// Through the open file: that is the object whose content is read, and spares the way through its directory.
    fn complete(
        &self,
        _: &dyn Handle,
        source_path: &[u8],
        node: &mut Node,
    ) -> Result<(), EntryError> {
        Place::Open(&self.file)
            .read(&mut node.extended_attributes)
            .map_err(|failure| failure.at(source_path.to_vec()))
    }
}
