//! Giving an entry its final name.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::{Errno, Result};
use strongroom_repository::restore::Place;

/// Renames an entry of a directory to its final name.
///
/// `EEXIST` where the place should be free and is not; both entries are as before then.
pub(super) fn settle(dir: impl AsFd, partial: &[u8], name: &[u8], place: Place) -> Result<()> {
    let dir = dir.as_fd();
    match place {
        Place::Taken => rustix::fs::renameat(dir, partial, dir, name),
        Place::Free => rename_free(dir, partial, name),
        Place::EmptyDir => {
            match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            rename_free(dir, partial, name)
        }
    }
}

/// Renames where nothing has the name yet.
pub(super) fn rename_free(dir: impl AsFd, from: &[u8], to: &[u8]) -> Result<()> {
    let dir = dir.as_fd();
    match rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
        // File systems without it (NFS) leave a moment between the look and the step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            match rustix::fs::statat(dir, to, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => rustix::fs::renameat(dir, from, dir, to),
                Err(errno) => Err(errno),
            }
        }
        other => other,
    }
}

/// Removes what may be under a partial name.
pub(super) fn clear(dir: impl AsFd, partial: &[u8]) -> Result<()> {
    match rustix::fs::unlinkat(dir, partial, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}
