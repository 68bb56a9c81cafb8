//! Listing the files below a folder.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::io::Errno;

use super::failure::Failure;
use crate::{ErrorKind, FileInfo, StoragePath, temporary_name};

/// What a walk came across.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<FileInfo>,
    /// Temporary files whose writers are gone.
    pub(crate) stale: Vec<PathBuf>,
}

/// Everything below `root/folder`. One `stat` a file and one a folder.
///
/// A folder that cannot be read is an error: a listing that leaves files out is how data gets deleted.
pub(crate) fn walk(root: &Path, folder: Option<&StoragePath>) -> Result<Found, Failure> {
    let start = folder.map_or_else(|| root.to_path_buf(), |folder| root.join(folder.as_str()));
    if !is_folder(root)? {
        return Err(Failure::new(ErrorKind::NotFound, "not a directory"));
    }
    let mut walk = Walk {
        found: Found::default(),
        above: Vec::new(),
        now: SystemTime::now(),
    };
    walk.enter(&start, folder.map(StoragePath::as_str))?;
    Ok(walk.found)
}

fn is_folder(path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|meta| meta.is_dir())
}

struct Walk {
    found: Found,
    /// The folders that we are in, from the start on, to notice a link that leads back into one of them.
    above: Vec<Identity>,
    now: SystemTime,
}

impl Walk {
    fn enter(&mut self, folder: &Path, prefix: Option<&str>) -> io::Result<()> {
        let Some(meta) = unless_gone(fs::metadata(folder))? else {
            return Ok(());
        };
        let identity = Identity::of(&meta);
        if !meta.is_dir() || (identity.is_known() && self.above.contains(&identity)) {
            return Ok(());
        }
        let Some(entries) = unless_gone(fs::read_dir(folder))? else {
            return Ok(());
        };
        self.above.push(identity);
        for entry in entries {
            self.entry(&entry?, prefix)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, prefix: Option<&str>) -> io::Result<()> {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Ok(());
        };
        if temporary_name::is_ours(name) {
            return self.temporary(entry);
        }
        let path = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}/{name}"));
        let Ok(path) = StoragePath::new(path) else {
            return Ok(());
        };

        // The type comes with the name; only links and files cost a stat.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            return self.enter(&entry.path(), Some(path.as_str()));
        }
        if temporary_name::is_restics(name) {
            return Ok(());
        }
        let meta = if kind.is_symlink() {
            fs::metadata(entry.path())
        } else {
            entry.metadata()
        };
        match unless_gone(meta)? {
            Some(meta) if meta.is_file() => self.found.files.push(FileInfo {
                path,
                size_bytes: meta.len(),
            }),
            Some(meta) if meta.is_dir() => self.enter(&entry.path(), Some(path.as_str()))?,
            _ => {}
        }
        Ok(())
    }

    fn temporary(&mut self, entry: &DirEntry) -> io::Result<()> {
        if let Some(meta) = unless_gone(entry.metadata())?
            && meta
                .modified()
                .is_ok_and(|modified| temporary_name::is_stale(modified, self.now))
        {
            self.found.stale.push(entry.path());
        }
        Ok(())
    }
}

/// What another process removed since we saw its name is no error, nor is a link that leads nowhere or to itself.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(e) if Errno::from_io_error(&e) == Some(Errno::LOOP) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Device and inode.
#[derive(PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(meta.dev(), meta.ino())
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }

    /// Some network file systems have no inode numbers.
    fn is_known(&self) -> bool {
        self.1 != 0
    }
}
