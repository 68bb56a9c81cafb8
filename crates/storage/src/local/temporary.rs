//! Temporary files and their lives.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::temporary_name;

/// A temporary file, removed when dropped unless it was [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// A new empty file with a name of its own in the folder.
    pub(crate) fn make(folder: &Path) -> io::Result<(Self, File)> {
        let path = folder.join(temporary_name::new()?);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((Self { path, kept: false }, file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file has got its final name.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}
