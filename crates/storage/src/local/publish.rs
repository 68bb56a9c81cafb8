//! The one step that gives a file its final name.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// How [`without_replacing`] went about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    /// The file system decided.
    Atomically,
    /// We looked and then renamed; another writer may have come between.
    ByLooking,
}

/// Renames unless the new name is taken; then [`io::ErrorKind::AlreadyExists`].
pub(super) fn without_replacing(from: &Path, to: &Path) -> io::Result<Decided> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Decided::Atomically),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => by_link(from, to),
        Err(e) => Err(e.into()),
    }
}

/// For file systems without `RENAME_NOREPLACE`, such as NFS.
fn by_link(from: &Path, to: &Path) -> io::Result<Decided> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            // The file has its name; a temporary one left over is removed as stale one day.
            let _ = fs::remove_file(from);
            Ok(Decided::Atomically)
        }
        Err(e) if links_are_unsupported(&e) => by_looking(from, to),
        Err(e) => Err(e),
    }
}

fn links_are_unsupported(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK)
    )
}

fn by_looking(from: &Path, to: &Path) -> io::Result<Decided> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            fs::rename(from, to).map(|()| Decided::ByLooking)
        }
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that another writer has just stored would be lost if one of the ways replaced it.
    #[test]
    fn no_way_replaces_a_file_and_every_way_moves_one() {
        for way in [without_replacing, by_link, by_looking] {
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (folder.path().join("from"), folder.path().join("to"));
            fs::write(&from, "mine").unwrap();
            fs::write(&to, "theirs").unwrap();
            assert_eq!(
                way(&from, &to).unwrap_err().kind(),
                io::ErrorKind::AlreadyExists
            );
            assert_eq!(fs::read(&to).unwrap(), b"theirs");
            fs::remove_file(&to).unwrap();
            way(&from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"mine");
            assert!(!from.exists());
        }
    }
}
