//! The copies of one storage's files, as files. All calls block.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::directory::{self, LAST_USED};
use crate::local::{Temporary, read_file, read_memory, walk_files};
use crate::{Buffers, ByteRange, StoragePath};

/// `ROOT/NAME`.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    folder: PathBuf,
    memory: Buffers,
}

impl Files {
    pub(super) fn new(root: &Path, name: &str) -> Self {
        Self {
            root: root.to_owned(),
            folder: root.join(name),
            memory: read_memory(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The name of a copy, of any storage, as the file that it is a copy of; `None` where it is of another storage.
    pub(super) fn original(&self, copy: &Path) -> Option<StoragePath> {
        let inside = copy.strip_prefix(&self.folder).ok()?;
        StoragePath::new(inside.to_str()?).ok()
    }

    /// Makes the folders and marks the copies as used now.
    pub(super) fn prepare(&self) -> io::Result<()> {
        directory::make(&self.root)?;
        directory::make_folder(&self.folder)?;
        let mark = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(LAST_USED))?;
        mark.set_modified(SystemTime::now())
    }

    /// Marks the copies as used now, if there are any.
    pub(super) fn mark_used(&self) {
        let mark = File::options()
            .append(true)
            .open(self.folder.join(LAST_USED));
        let _ = mark.and_then(|mark| mark.set_modified(SystemTime::now()));
    }

    /// A range of a copy that was verified before. `None` where it is gone or changed its size.
    pub(super) fn load(&self, path: &StoragePath, range: Option<ByteRange>) -> Option<Bytes> {
        read_file(&self.copy(path), range, &self.memory).ok()
    }

    /// The whole of a copy of at most `max_bytes` whose content is what its name says. Any other copy is removed.
    pub(super) fn load_verified(&self, path: &StoragePath, max_bytes: u64) -> Option<Bytes> {
        let copy = self.copy(path);
        let size = fs::symlink_metadata(&copy).ok()?.len();
        let data = (size <= max_bytes)
            .then(|| read_file(&copy, None, &self.memory).ok())
            .flatten();
        match data {
            Some(data) if is_content_of(path, &data) => {
                // Recently used, for the bound; where it fails the copy only goes earlier.
                let _ = File::open(&copy).and_then(|file| file.set_modified(SystemTime::now()));
                Some(data)
            }
            _ => {
                self.remove(path);
                None
            }
        }
    }

    /// Stores a copy: whole under its name, or not at all.
    pub(super) fn store(&self, path: &StoragePath, data: &[u8]) -> io::Result<()> {
        let copy = self.copy(path);
        let folder = copy.parent().unwrap_or(&self.folder);
        let (temporary, mut file) = match Temporary::make(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // Also where another process has just cleaned the cache up.
                self.prepare()?;
                directory::make_folder(folder)?;
                Temporary::make(folder)?
            }
            made => made?,
        };
        file.write_all(data)?;
        fs::rename(temporary.path(), &copy)?;
        temporary.keep();
        Ok(())
    }

    /// Removes a copy if there is one.
    pub(super) fn remove(&self, path: &StoragePath) {
        let copy = self.copy(path);
        // Whatever stands there, also a folder that somebody made, must not be in the way of the next copy.
        if fs::remove_file(&copy).is_err() && copy.is_dir() {
            let _ = fs::remove_dir_all(&copy);
        }
    }

    /// Removes the copies in a folder that are not in `keep`, and temporary files whose writers are gone.
    pub(super) fn retain(
        &self,
        folder: &StoragePath,
        keep: &HashSet<StoragePath>,
    ) -> Vec<StoragePath> {
        let Ok(found) = walk_files(&self.folder, Some(folder)) else {
            return Vec::new();
        };
        for stale in found.stale {
            let _ = fs::remove_file(stale);
        }
        let copies = found.files.into_iter().map(|file| file.path);
        let gone: Vec<_> = copies.filter(|path| !keep.contains(path)).collect();
        for path in &gone {
            self.remove(path);
        }
        gone
    }

    fn copy(&self, path: &StoragePath) -> PathBuf {
        self.folder.join(path.as_str())
    }
}

/// Whether the data has the hash that is the file's name.
pub(super) fn is_content_of(path: &StoragePath, data: &[u8]) -> bool {
    HEXLOWER.encode(&Sha256::digest(data)) == path.file_name()
}
