//! The few strokes that the parts of the corpus are drawn with.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

/// A folder that a part grows in.
pub(super) struct Plant<'a> {
    root: PathBuf,
    left_out: &'a mut Vec<String>,
}

impl<'a> Plant<'a> {
    pub fn new(root: PathBuf, left_out: &'a mut Vec<String>) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        Ok(Self { root, left_out })
    }

    pub fn into_root(self) -> PathBuf {
        self.root
    }

    /// The path of an entry; the name is bytes.
    pub fn path(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.root.join(OsStr::from_bytes(name.as_ref()))
    }

    pub fn dir(&self, name: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    pub fn file(&self, name: impl AsRef<[u8]>, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    pub fn symlink(&self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.path(name);
        std::os::unix::fs::symlink(OsStr::from_bytes(target.as_ref()), &path)?;
        Ok(path)
    }

    /// Takes a refusal that depends on the user or the file system as "left out"; every other error stays one.
    pub fn allow_refusal(&mut self, what: &str, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
                ) =>
            {
                self.left_out.push(format!("{what}: {e}"));
                Ok(())
            }
            other => other,
        }
    }

    pub fn leave_out(&mut self, what: &str) {
        self.left_out.push(what.to_owned());
    }
}

pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Sets the modification time of the entry itself and makes sure that the file system kept it.
pub(super) fn set_time(path: &Path, tv_sec: i64, tv_nsec: i64) -> io::Result<()> {
    let time = Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    let kept = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if (kept.st_mtime, kept.st_mtime_nsec as i64) == (tv_sec, tv_nsec) {
        return Ok(());
    }
    let message = format!(
        "the file system at {} does not keep the time {tv_sec}.{tv_nsec:09}",
        path.display()
    );
    Err(io::Error::other(message))
}

pub(super) fn set_xattr(path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::lsetxattr(
        path,
        name,
        value,
        XattrFlags::empty(),
    )?)
}

pub(super) fn make_node(path: &Path, kind: FileType, device: (u32, u32)) -> io::Result<()> {
    let device = rustix::fs::makedev(device.0, device.1);
    Ok(rustix::fs::mknodat(
        CWD,
        path,
        kind,
        Mode::from_raw_mode(0o640),
        device,
    )?)
}
