//! The folder that a run works in, and the pitfalls of its file system.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::machine;

/// The working folder.
pub struct Work {
    root: PathBuf,
    keeps_removed: bool,
    removed: Cell<u64>,
}

/// The most that is written to warm memory up.
const WARM_UP_MAX: u64 = 8 << 30;

impl Work {
    /// Makes the folder.
    pub fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("make {}", root.display()))?;
        let root = root.canonicalize()?;
        let keeps_removed = machine::file_system(&root) != "tmpfs";
        let work = Self {
            root,
            keeps_removed,
            removed: Cell::new(0),
        };
        work.sweep()?;
        Ok(work)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes a file or folder away.
    ///
    /// ext4 avoids inodes that were freed within the last minutes, and then makes 2,500 files a second instead of 50,000: a restore
    /// after a removal would measure that. So nothing is removed during a run except on tmpfs; it is moved out of the way.
    pub fn discard(&self, path: &Path) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        if !self.keeps_removed {
            return fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()));
        }
        self.removed.set(self.removed.get() + 1);
        fs::create_dir_all(self.removed_folder())?;
        Ok(fs::rename(
            path,
            self.removed_folder().join(self.removed.get().to_string()),
        )?)
    }

    /// Removes what was discarded.
    pub fn sweep(&self) -> Result<()> {
        for folder in [self.removed_folder(), self.root.join("tools")] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }

    fn removed_folder(&self) -> PathBuf {
        self.root.join("removed")
    }

    /// Writes a large file and removes it: the first touch of memory costs a virtual machine several times the next, and whichever
    /// tool came first would pay.
    pub fn warm_memory(&self, bytes: u64) -> Result<()> {
        let path = self.root.join("warm-up");
        let block = vec![1; 4 << 20];
        let mut file = fs::File::create(&path)?;
        let bytes = bytes.min(WARM_UP_MAX).min(machine::available_memory() / 2);
        for _ in 0..bytes / block.len() as u64 {
            file.write_all(&block)?;
        }
        drop(file);
        Ok(fs::remove_file(path)?)
    }
}
