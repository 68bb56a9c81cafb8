//! Tables: what a program computed from the files of a storage, kept to be read in parts. All calls block.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::directory;
use super::files::Files;
use super::rules::TABLES;
use crate::local::{Temporary, read_exact_at, walk_files};
use crate::{InvalidPath, StoragePath};

/// Keeps tables below `ROOT/NAME/tables`, beside the copies of the same storage. Clones share them.
///
/// A table is put in place whole by renaming and never changed after that: who has it open goes on reading the old
/// one while another process replaces or removes it. Nothing is synced, and nothing proves that a table is what was
/// written: whoever reads it must be able to tell. Files are for their owner alone (0600, in folders of 0700).
#[derive(Debug, Clone)]
pub struct CacheTables {
    root: PathBuf,
    name: String,
}

impl CacheTables {
    /// Tables in `root/name`; touches nothing yet.
    ///
    /// # Errors
    /// [`InvalidPath`] where `name` is no single part of a [`StoragePath`].
    pub fn new(root: impl Into<PathBuf>, name: &str) -> Result<Self, InvalidPath> {
        if !directory::is_name(name) {
            return Err(InvalidPath(name.to_owned()));
        }
        Ok(Self {
            root: root.into(),
            name: name.to_owned(),
        })
    }

    /// Opens a table for reading and marks it as used.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(&self, table: &str) -> io::Result<CacheTable> {
        let path = self.path(table);
        // Not a pipe or a device that somebody put there, which could hang us.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        // Recently used, for the bound and the clean-up; where it fails it only goes earlier.
        let _ = file.set_modified(SystemTime::now());
        Files::new(&self.root, &self.name).mark_used();
        Ok(CacheTable { file, length })
    }

    /// Begins a table, which takes the place of the one with this name when it is [finished](NewCacheTable::finish).
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(&self, table: &str) -> io::Result<NewCacheTable> {
        Files::new(&self.root, &self.name).prepare()?;
        let folder = self.folder();
        directory::make_folder(&folder)?;
        self.remove_stale();
        let (temporary, file) = Temporary::make(&folder)?;
        Ok(NewCacheTable {
            file,
            temporary,
            path: self.path(table),
        })
    }

    /// Removes a table if there is one.
    pub fn remove(&self, table: &str) {
        let _ = fs::remove_file(self.path(table));
    }

    /// Temporary files whose writers are gone.
    fn remove_stale(&self) {
        let found = StoragePath::new(TABLES)
            .ok()
            .and_then(|folder| walk_files(&self.root.join(&self.name), Some(&folder)).ok());
        for stale in found.into_iter().flat_map(|found| found.stale) {
            let _ = fs::remove_file(stale);
        }
    }

    fn folder(&self) -> PathBuf {
        self.root.join(&self.name).join(TABLES)
    }

    fn path(&self, table: &str) -> PathBuf {
        self.folder().join(table)
    }
}

/// A table that is open. Reading it needs no lock and no position: any number of threads may.
#[derive(Debug)]
pub struct CacheTable {
    file: File,
    length: u64,
}

impl CacheTable {
    /// Bytes when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills the buffer from this place.
    ///
    /// # Errors
    /// The table has become shorter, or cannot be read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, offset, buffer)
    }
}

/// A table that is being written; dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct NewCacheTable {
    file: File,
    temporary: Temporary,
    path: PathBuf,
}

impl NewCacheTable {
    /// Appends.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.file.write_all(data)
    }

    /// Puts the table in place.
    ///
    /// # Errors
    /// It cannot be.
    pub fn finish(self) -> io::Result<()> {
        put(&self.temporary, &self.path)?;
        self.temporary.keep();
        Ok(())
    }
}

fn put(temporary: &Temporary, path: &Path) -> io::Result<()> {
    // Whatever stands there, also a folder that somebody made, must not be in the way.
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    }
    fs::rename(temporary.path(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_there_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let tables = CacheTables::new(root.path().join("cache"), "one").unwrap();
        assert!(tables.open("t").is_err());
        let mut new = tables.create("t").unwrap();
        new.write(b"begin").unwrap();
        assert!(tables.open("t").is_err());
        drop(new);
        assert_eq!(fs::read_dir(tables.folder()).unwrap().count(), 0);

        for content in [&b"first"[..], b"second one"] {
            let mut new = tables.create("t").unwrap();
            new.write(content).unwrap();
            new.finish().unwrap();
            let table = tables.open("t").unwrap();
            assert_eq!(table.length(), content.len() as u64);
            let mut buffer = [0; 3];
            table.read_at(2, &mut buffer).unwrap();
            assert_eq!(buffer, content[2..5]);
            assert!(
                table
                    .read_at(content.len() as u64 - 2, &mut buffer)
                    .is_err()
            );
        }
        assert!(CacheTables::new(root.path(), "../x").is_err());
    }

    /// A reader that an update pulled the table away from would have to stop.
    #[test]
    fn who_has_it_open_reads_on() {
        let root = tempfile::tempdir().unwrap();
        let tables = CacheTables::new(root.path(), "one").unwrap();
        let write = |content: &[u8]| {
            let mut new = tables.create("t").unwrap();
            new.write(content).unwrap();
            new.finish().unwrap();
        };
        write(b"old");
        let open = tables.open("t").unwrap();
        write(b"new");
        tables.remove("t");
        let mut buffer = [0; 3];
        open.read_at(0, &mut buffer).unwrap();
        assert_eq!(&buffer, b"old");
    }

    #[cfg(unix)]
    #[test]
    fn tables_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let tables = CacheTables::new(root.path(), "one").unwrap();
        tables.create("t").unwrap().finish().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&tables.path("t")), 0o600);
        assert_eq!(mode(&tables.folder()), 0o700);
    }

    /// What is not counted grows without bound, and is left behind when a cache is cleaned up.
    #[test]
    fn tables_count_and_go_with_the_cache() {
        let root = tempfile::tempdir().unwrap();
        let tables = CacheTables::new(root.path(), "one").unwrap();
        let mut new = tables.create("t").unwrap();
        new.write(&[1; 1000]).unwrap();
        new.finish().unwrap();
        let directory = super::super::CacheDirectory::new(root.path());
        let folders = directory.folders().unwrap();
        assert_eq!(folders[0].size_bytes, 1000);
        directory.remove(&folders).unwrap();
        assert!(tables.open("t").is_err());
    }
}
