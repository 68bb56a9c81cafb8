//! Storing a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::Failure;
use super::folders::{self, Modes};
use super::publish::{self, Decided};
use super::temporary::Temporary;
use crate::{ErrorKind, StoragePath, WriteMode, temporary_name};

/// Bytes between two looks at whether the caller has gone.
const PIECE_BYTES: usize = 4 << 20;

/// One write.
pub(super) struct Job<'a> {
    pub(super) root: &'a Path,
    pub(super) path: &'a StoragePath,
    pub(super) modes: Modes,
    pub(super) mode: WriteMode,
    /// Set when the caller has dropped the call.
    pub(super) abandoned: &'a AtomicBool,
}

impl Job<'_> {
    pub(super) fn run(&self, data: &[u8]) -> Result<Decided, Failure> {
        let destination = self.root.join(self.path.as_str());
        let folder = destination.parent().unwrap_or(self.root);
        if temporary_name::is_restics(self.path.file_name()) {
            return Err(Failure::new(
                ErrorKind::Unsupported,
                "the name is reserved for temporary files",
            ));
        }
        if self.mode == WriteMode::New && fs::symlink_metadata(&destination).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }

        let (temporary, file) = self.temporary(folder)?;
        self.fill(file, data)?;
        self.still_wanted()?;
        let decided = match self.mode {
            WriteMode::New => publish::without_replacing(temporary.path(), &destination)?,
            WriteMode::Replace => {
                fs::rename(temporary.path(), &destination)?;
                Decided::Atomically
            }
        };
        temporary.keep();
        folders::sync(folder)?;
        Ok(decided)
    }

    fn temporary(&self, folder: &Path) -> io::Result<(Temporary, File)> {
        match Temporary::make(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let relative = PathBuf::from(self.path.as_str());
                folders::make(
                    self.root,
                    relative.parent().unwrap_or(Path::new("")),
                    self.modes,
                )?;
                Temporary::make(folder)
            }
            made => made,
        }
    }

    fn fill(&self, mut file: File, data: &[u8]) -> Result<(), Failure> {
        for piece in data.chunks(PIECE_BYTES) {
            self.still_wanted()?;
            file.write_all(piece)?;
        }
        set_mode(&file, self.modes.file)?;
        folders::unless_unsupported(file.sync_all())?;
        Ok(())
    }

    fn still_wanted(&self) -> Result<(), Failure> {
        if self.abandoned.load(Ordering::Relaxed) {
            // Nobody is left to see this error.
            return Err(Failure::new(ErrorKind::Io, "the write was cancelled"));
        }
        Ok(())
    }
}

/// Read-only, against accidents. Some file systems (exFAT, some network mounts) have no permissions to set.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match file.set_permissions(fs::Permissions::from_mode(mode)) {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
