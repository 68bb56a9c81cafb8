//! The way from the root to a directory, one name at a time.

use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use strongroom_repository::restore::{TargetError, TargetErrorKind, TargetPath, TargetResult};

use super::OPEN;
use super::failure::{During, Failure, fail};
use super::handles::Handles;

/// Descriptors of directories below a root.
pub(super) struct Dirs {
    root: PathBuf,
    open: Handles<TargetPath>,
}

/// An open directory and a name in it.
pub(super) struct Entry<'a> {
    pub(super) dir: Arc<OwnedFd>,
    pub(super) name: &'a [u8],
}

impl Dirs {
    /// Flags for a directory that is only gone through: no right to read it is needed.
    const DIR: OFlags = OPEN.union(OFlags::PATH).union(OFlags::DIRECTORY);

    pub(super) fn new(root: PathBuf, limit: usize) -> Self {
        Self {
            root,
            open: Handles::new(limit),
        }
    }

    pub(super) fn root_path(&self) -> &Path {
        &self.root
    }

    /// The descriptor of a directory. No name on the way may be a symbolic link; the root itself may be.
    pub(super) fn open(&self, path: &TargetPath) -> TargetResult<Arc<OwnedFd>> {
        if let Some(dir) = self.open.get(path) {
            return Ok(dir);
        }
        // The nearest directory on the way that is open.
        let mut missing: Vec<TargetPath> = Vec::new();
        let mut nearest = path.clone();
        let mut dir = loop {
            match nearest.split() {
                None => break self.open_root()?,
                Some((parent, _)) => {
                    missing.push(nearest);
                    if let Some(dir) = self.open.get(&parent) {
                        break dir;
                    }
                    nearest = parent;
                }
            }
        };
        for path in missing.into_iter().rev() {
            let name = path.names().last().unwrap_or_default();
            let next =
                rustix::fs::openat(&dir, name, Self::DIR, Mode::empty()).during(&path, "open")?;
            dir = Arc::new(next);
            self.open.insert(path, Arc::clone(&dir));
        }
        Ok(dir)
    }

    fn open_root(&self) -> TargetResult<Arc<OwnedFd>> {
        let path = TargetPath::root();
        if let Some(dir) = self.open.get(&path) {
            return Ok(dir);
        }
        let flags = Self::DIR.difference(OFlags::NOFOLLOW);
        let dir = rustix::fs::openat(CWD, &self.root, flags, Mode::empty())
            .map_err(|errno| self.name_root(errno, "open"))?;
        let dir = Arc::new(dir);
        self.open.insert(path, Arc::clone(&dir));
        Ok(dir)
    }

    fn name_root(&self, errno: Errno, during: &'static str) -> TargetError {
        let mut error = Failure::from(errno).at(&TargetPath::root(), during);
        error.message = format!("{}: {}", self.root.display(), error.message);
        error
    }

    /// The parent of an entry, open. The root has none.
    pub(super) fn parent<'a>(&self, path: &'a TargetPath) -> TargetResult<Entry<'a>> {
        let (parent, name) = path.split().ok_or_else(|| {
            fail(
                TargetErrorKind::Other,
                path,
                "open",
                "the root has no parent",
            )
        })?;
        Ok(Entry {
            dir: self.open(&parent)?,
            name,
        })
    }

    /// Closes what is open: some directory is going away or is becoming another.
    pub(super) fn forget(&self) {
        self.open.clear();
    }

    pub(super) fn create_root(&self) -> TargetResult<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)
            .map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                // A file that has the name is what the user has to hear of.
                let errno = if errno == Errno::EXIST {
                    Errno::NOTDIR
                } else {
                    errno
                };
                self.name_root(errno, "create")
            })
    }

    pub(super) fn available_bytes(&self) -> TargetResult<Option<u64>> {
        let mut place = self.root.as_path();
        let figures = loop {
            let named = if place.as_os_str().is_empty() {
                Path::new(".")
            } else {
                place
            };
            match (rustix::fs::statvfs(named), place.parent()) {
                (Ok(figures), _) => break figures,
                (Err(Errno::NOENT), Some(parent)) => place = parent,
                (Err(errno), _) => return Err(self.name_root(errno, "ask for the free space of")),
            }
        };
        if figures.f_blocks == 0 {
            return Ok(None);
        }
        Ok(figures.f_bavail.checked_mul(figures.f_frsize))
    }
}

impl Entry<'_> {
    /// The error of a call that changes the directory. "Not permitted" has a reason that is worth looking for.
    pub(super) fn explain(
        &self,
        path: &TargetPath,
        during: &'static str,
        errno: Errno,
    ) -> TargetError {
        let mut error = Failure::from(errno).at(path, during);
        if errno == Errno::EXIST {
            error.message = "something of that name has appeared since; \
                where the target ignores case, it may be an entry whose name differs in case alone"
                .to_owned();
        }
        if errno == Errno::PERM {
            for (name, what) in [(self.name, "it"), (&b""[..], "its directory")] {
                if let Some(mark) = self.mark(name) {
                    error.kind = TargetErrorKind::Immutable;
                    error.message = format!("{what} is marked {mark} (lsattr, chattr)");
                    break;
                }
            }
        }
        error
    }

    fn mark(&self, name: &[u8]) -> Option<&'static str> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
        let found = rustix::fs::statx(&self.dir, name, flags, StatxFlags::TYPE).ok()?;
        if found.stx_attributes.contains(StatxAttributes::IMMUTABLE) {
            Some("immutable")
        } else if found.stx_attributes.contains(StatxAttributes::APPEND) {
            Some("append-only")
        } else {
            None
        }
    }
}
