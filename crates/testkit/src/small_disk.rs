//! A real file system that is small, so that a test can fill it, or make it read-only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An ext4 file system of its own in a file, mounted until the value is dropped.
///
/// Only root can mount. [`SmallDisk::new`] is `None` for others; where root may not mount either, it panics,
/// since a test run that leaves out a full disk should not pass for one that tested it.
#[derive(Debug)]
pub struct SmallDisk {
    mounted_at: PathBuf,
    _dir: TempDir,
}

impl SmallDisk {
    /// Makes and mounts a file system of `size_bytes`, at least 1 MiB; what files can use is somewhat less.
    pub fn new(size_bytes: u64) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let dir = tempfile::Builder::new()
            .prefix("small-disk-")
            .tempdir()
            .expect("a temporary directory");
        let (image, mounted_at) = (dir.path().join("image"), dir.path().join("disk"));
        fs::create_dir(&mounted_at).expect("a mount point");
        fs::File::create(&image)
            .and_then(|file| file.set_len(size_bytes))
            .expect("a sparse file");
        // No journal and no blocks kept for root, so that "full" means full.
        succeed(
            Command::new("mkfs.ext4")
                .args(["-q", "-F", "-m", "0", "-O", "^has_journal"])
                .arg(&image),
        );
        succeed(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(&image)
                .arg(&mounted_at),
        );
        let lost_and_found = fs::remove_dir(mounted_at.join("lost+found"));
        lost_and_found.expect("an empty lost+found");
        Some(Self {
            mounted_at,
            _dir: dir,
        })
    }

    /// The root of the file system.
    pub fn path(&self) -> &Path {
        &self.mounted_at
    }

    /// From here on every write fails with `EROFS`, for root too.
    pub fn make_read_only(&self) {
        succeed(
            Command::new("mount")
                .args(["-o", "remount,ro"])
                .arg(&self.mounted_at),
        );
    }

    /// Takes writes again.
    pub fn make_writable(&self) {
        succeed(
            Command::new("mount")
                .args(["-o", "remount,rw"])
                .arg(&self.mounted_at),
        );
    }

    /// Fills what is left, but for `leave_bytes`, with a file that can be removed again.
    pub fn fill(&self, leave_bytes: u64) -> PathBuf {
        let path = self.mounted_at.join("filler");
        let free = rustix::fs::statvfs(&self.mounted_at).expect("statvfs");
        let take_bytes = (free.f_bavail * free.f_frsize).saturating_sub(leave_bytes);
        let filled = fs::write(
            &path,
            vec![0xf1; usize::try_from(take_bytes).expect("a small disk")],
        );
        if let Err(e) = filled {
            assert!(
                e.kind() == io::ErrorKind::StorageFull,
                "filling {}: {e}",
                path.display()
            );
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a program that the test started may still have a file open. A failure here must not hide the test's own.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.mounted_at)
            .status();
    }
}

fn succeed(command: &mut Command) {
    let output = command.env("PATH", search_path()).output();
    let output = output.unwrap_or_else(|e| {
        panic!("cannot start {command:?} ({e}): run scripts/install-test-packages")
    });
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Debian keeps these programs where only root looks.
fn search_path() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::SmallDisk;

    #[test]
    fn a_disk_is_full_then_has_room_then_is_read_only() {
        let Some(disk) = SmallDisk::new(4 << 20) else {
            return;
        };
        let file = disk.path().join("file");
        fs::write(&file, vec![1; 1 << 20]).unwrap();
        let filler = disk.fill(0);
        assert_eq!(
            fs::write(disk.path().join("more"), vec![1; 1 << 20])
                .unwrap_err()
                .kind(),
            ErrorKind::StorageFull
        );
        fs::remove_file(filler).unwrap();
        fs::write(disk.path().join("more"), vec![1; 1 << 20]).unwrap();
        disk.make_read_only();
        assert_eq!(
            fs::write(&file, b"").unwrap_err().kind(),
            ErrorKind::ReadOnlyFilesystem
        );
        disk.make_writable();
        fs::write(&file, b"").unwrap();
        let mounted_at = disk.path().to_owned();
        drop(disk);
        assert!(
            !fs::read_to_string("/proc/mounts")
                .unwrap()
                .contains(mounted_at.to_str().unwrap())
        );
    }
}
