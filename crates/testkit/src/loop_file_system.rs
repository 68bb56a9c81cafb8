//! A small file system of its own, to fill up or to mount read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An ext4 file system in an image, mounted through a loop device until it is dropped. Needs root.
#[derive(Debug)]
pub struct LoopFileSystem {
    mounted: PathBuf,
    _folder: TempDir,
}

impl LoopFileSystem {
    /// Makes and mounts a file system of this size.
    ///
    /// # Panics
    /// Without root, without `mkfs.ext4`, or where the kernel has no loop devices.
    pub fn new(size_bytes: u64) -> Self {
        assert!(
            is_root(),
            "this test mounts a file system, so it has to run as root: sudo -E scripts/test"
        );
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(size_bytes).unwrap();
        let mounted = folder.path().join("mounted");
        std::fs::create_dir(&mounted).unwrap();
        // No space reserved for root, or root would never meet the end.
        run(Command::new("mkfs.ext4")
            .args(["-q", "-m", "0"])
            .arg(&image));
        run(Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, &mounted]));
        Self {
            mounted,
            _folder: folder,
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mounted
    }

    /// Mounts it again, for reading alone.
    pub fn make_read_only(&self) {
        run(Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path()));
    }
}

impl Drop for LoopFileSystem {
    fn drop(&mut self) {
        // Lazy: a file that a test still holds open must not keep the mount for ever.
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).status();
    }
}

/// The owner of a file that this process has just made tells who it runs as.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = tempfile::tempfile().unwrap();
    file.metadata().unwrap().uid() == 0
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}
