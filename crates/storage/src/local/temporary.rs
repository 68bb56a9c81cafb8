//! Names and lives of temporary files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;

const PREFIX: &str = "strongroom-";
const SUFFIX: &str = ".tmp~";

/// Age at which nobody can still be writing to a temporary file. A clock that is wrong by more costs a live
/// write its file, which then fails with an error; it never costs a stored file.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the name is one that [`Temporary::make`] gives.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether the name is one under which restic writes: `FINAL-tmp-DIGITS`.
pub(super) fn is_restics(name: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    name.rsplit_once("-tmp-")
        .is_some_and(|(_, end)| digits(end))
}

/// Whether a temporary file that was last written at `modified` belongs to a write that is no more.
pub(super) fn is_stale(modified: SystemTime, now: SystemTime) -> bool {
    now.duration_since(modified)
        .is_ok_and(|age| age >= STALE_AFTER)
}

/// A temporary file, removed when dropped unless it was [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// A new empty file with a name of its own in the folder.
    pub(crate) fn make(folder: &Path) -> io::Result<(Self, File)> {
        let mut random = [0; 12];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let path = folder.join(format!("{PREFIX}{}{SUFFIX}", HEXLOWER.encode(&random)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoragePath;

    #[test]
    fn no_file_can_have_the_name_of_a_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let (temporary, _file) = Temporary::make(folder.path()).unwrap();
        let name = temporary.path().file_name().unwrap().to_str().unwrap();
        assert!(is_ours(name));
        assert!(StoragePath::new(name).is_err());
        assert!(is_restics("abcd-tmp-0123") && !is_restics("abcd-tmp-") && !is_restics("a-tmp-b"));
    }

    #[test]
    fn a_temporary_file_from_the_future_is_not_stale() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert!(!is_stale(now + STALE_AFTER, now));
        assert!(!is_stale(now - STALE_AFTER / 2, now));
        assert!(is_stale(now - STALE_AFTER, now));
    }
}
