//! An open regular file.

use std::ffi::CStr;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Advice, FileType, OFlags, Stat, fstat};
use rustix::io::{Errno, retry_on_intr};
use strongroom_repository::backup::{Content, EntryError};
use strongroom_repository::format::Node;

use crate::files::directory::{no_follow, open_unnoticed};
use crate::files::entry::Context;
use crate::files::failure::Failure;
use crate::files::metadata::{apply, file_type};

/// A regular file, read to whatever its end is by then.
pub(super) struct OpenFile {
    context: Arc<Context>,
    file: OwnedFd,
    /// As it was when the file was opened.
    stat: Stat,
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
        // Advice: a file system that knows none reads as well.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        Ok(Self {
            context: Arc::clone(context),
            file,
            stat,
        })
    }
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
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
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

impl Content for OpenFile {
    fn refresh(&self, node: &mut Node) -> Result<(), EntryError> {
        apply(node, &self.stat, &self.context);
        Ok(())
    }
}
