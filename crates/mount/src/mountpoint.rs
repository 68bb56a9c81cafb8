//! The folder that is mounted on.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Whether a repository can be mounted there; the folder's absolute path without symbolic links.
///
/// # Errors
/// [`ErrorKind::Mountpoint`] if it does not exist, is no folder or cannot be read, [`ErrorKind::NotEmpty`],
/// [`ErrorKind::Disconnected`].
pub fn check(mountpoint: &Path) -> Result<PathBuf> {
    let shown = mountpoint.display();
    let cannot =
        |what: &str| Error::new(ErrorKind::Mountpoint, format!("mount on {shown}: {what}"));
    let failed = |error: io::Error| match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::NOTCONN.raw_os_error() => Error::new(
            ErrorKind::Disconnected,
            format!("mount on {shown}: a mount whose program has ended is still there"),
        ),
        _ if error.kind() == io::ErrorKind::NotFound => cannot("there is no such folder"),
        _ => cannot(&error.to_string()),
    };
    let path = mountpoint.canonicalize().map_err(failed)?;
    if !path.metadata().map_err(failed)?.is_dir() {
        return Err(cannot("it is not a folder"));
    }
    if path.read_dir().map_err(failed)?.next().is_some() {
        return Err(Error::new(
            ErrorKind::NotEmpty,
            format!(
                "mount on {shown}: the folder is not empty, and the mount would hide what is in it"
            ),
        ));
    }
    Ok(path)
}
