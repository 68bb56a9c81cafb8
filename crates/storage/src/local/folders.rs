//! Folders: making them, syncing them, and the permissions of what lies in them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Permission bits for new files and folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) file: u32,
    pub(super) folder: u32,
}

impl Modes {
    const PRIVATE: Self = Self {
        file: 0o400,
        folder: 0o700,
    };
    const GROUP: Self = Self {
        file: 0o440,
        folder: 0o770,
    };

    /// As restic decides it: for the group as well where the group can read `config`.
    pub(super) fn of(root: &Path) -> Self {
        if group_reads(&root.join("config")) {
            Self::GROUP
        } else {
            Self::PRIVATE
        }
    }
}

#[cfg(unix)]
fn group_reads(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o040 != 0)
}

#[cfg(not(unix))]
fn group_reads(_: &Path) -> bool {
    false
}

/// Makes `root/relative` folder by folder, syncing the parent of each that is new. Never makes `root`.
pub(super) fn make(root: &Path, relative: &Path, modes: Modes) -> io::Result<()> {
    // Asked first: mkdir below a missing root would say NotFound as well, but only after nothing was made.
    if !fs::metadata(root)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut parent = root.to_path_buf();
    for part in relative.components() {
        let child = parent.join(part);
        match make_one(&child, modes) {
            Ok(()) => sync(&parent)?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        parent = child;
    }
    Ok(())
}

/// Makes the root and what is missing above it.
pub(super) fn make_root(root: &Path) -> io::Result<()> {
    if fs::metadata(root).is_ok_and(|meta| meta.is_dir()) {
        return Ok(());
    }
    let mut missing: Vec<&Path> = root
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.is_dir())
        .collect();
    while let Some(path) = missing.pop() {
        match make_one(path, Modes::PRIVATE) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            result => result?,
        }
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync(parent)?,
            _ => sync(Path::new("."))?,
        }
    }
    Ok(())
}

fn make_one(path: &Path, modes: Modes) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, modes.folder);
    #[cfg(not(unix))]
    let _ = modes;
    builder.create(path)
}

/// Puts the names in a folder on disk.
///
/// A folder that may be written but not read (a drop box) cannot be opened, and some file systems cannot sync
/// folders; there the names reach the disk when the system writes them.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    let opened = match File::open(folder) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    unless_unsupported(opened.sync_all())
}

/// The result of a sync; a file system that has no sync is no error.
pub(super) fn unless_unsupported(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}
