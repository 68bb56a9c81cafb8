//! Restoring into a directory of this machine.
//!
//! How it stays below its root: every call walks from a descriptor of the root (or of a directory below it that is
//! still open) one name at a time with `O_NOFOLLOW`, and then works relative to the descriptor of the parent. No path of
//! more than one name is ever given to the system, so a symbolic link on the way is never followed, wherever it came
//! from, and paths may be longer than `PATH_MAX`.
//!
//! How a file appears: it is written under its partial name beside its final one, gets size and attributes, and is
//! renamed; or, where all of its content is at hand and nothing has its name, without any name until it is whole. Nothing is flushed file by file; [`Target::sync`] flushes the file systems that were touched once, at the end.

mod attributes;
mod copy;
mod dirs;
mod extended;
mod failure;
mod handles;
mod list;
mod object;
mod owners;
mod partial_file;
mod place;
mod read;
mod special;
mod unnamed_file;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use strongroom_repository::format::Node;
use strongroom_repository::restore::{
    Attributes, Existing, Listing, NewFile, Place, ReadAt, Target, TargetErrorKind, TargetFile,
    TargetPath, TargetResult, Withheld, write_in_steps,
};

use attributes::Origin;
use dirs::Dirs;
use failure::{During, Failure, fail};
use handles::Handles;
use object::Object;
use owners::Owners;
use partial_file::PartialFile;

/// A directory of this machine as the target of a restore.
pub struct DirectoryTarget {
    inner: Arc<Inner>,
}

/// What the target and its unfinished files share.
struct Inner {
    dirs: Dirs,
    files: Handles<(u64, u64)>,
    owners: Owners,
    /// Modes of the directories that were made writable for the time of the restore.
    unlocked: Mutex<HashMap<TargetPath, Mode>>,
    /// The file systems that are written to, each by one of its directories.
    touched: Mutex<HashMap<u64, TargetPath>>,
    privileged: bool,
}

impl DirectoryTarget {
    /// Files being written that are kept open at most.
    const OPEN_FILES: usize = 128;
    /// Directories that are kept open at most.
    const OPEN_DIRS: usize = 256;

    /// The directory at this path, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            inner: Arc::new(Inner {
                dirs: Dirs::new(root.into(), Self::OPEN_DIRS),
                files: Handles::new(Self::OPEN_FILES),
                owners: Owners::default(),
                unlocked: Mutex::default(),
                touched: Mutex::default(),
                privileged: rustix::process::geteuid().is_root(),
            }),
        }
    }
}

impl Target for DirectoryTarget {
    fn location(&self) -> String {
        self.inner.dirs.root_path().display().to_string()
    }

    fn exists(&self) -> TargetResult<bool> {
        match self.inner.dirs.open(&TargetPath::root()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == TargetErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn create(&self) -> TargetResult<()> {
        self.inner.dirs.create_root()
    }

    fn available_bytes(&self) -> TargetResult<Option<u64>> {
        self.inner.dirs.available_bytes()
    }

    fn list(&self, dir: &TargetPath) -> TargetResult<Listing> {
        let open = self.inner.dirs.open(dir)?;
        // A directory that is made later lies on the file system of one that was there and has been listed.
        self.inner.touch(dir, &open).during(dir, "look at")?;
        list::list(&*open).during(dir, "list")
    }

    fn look(&self, path: &TargetPath) -> TargetResult<Option<Existing>> {
        let at = self.inner.dirs.parent(path)?;
        match list::look(&at.dir, at.name) {
            Ok(existing) => Ok(Some(existing)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno).during(path, "look at"),
        }
    }

    fn is_immutable(&self, path: &TargetPath) -> TargetResult<bool> {
        let at = self.inner.dirs.parent(path)?;
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let found = rustix::fs::statx(&at.dir, at.name, flags, StatxFlags::empty());
        let attributes = found.during(path, "look at")?.stx_attributes;
        Ok(attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND))
    }

    fn read(&self, file: &TargetPath) -> TargetResult<Box<dyn ReadAt>> {
        let at = self.inner.dirs.parent(file)?;
        Ok(Box::new(read::OpenFile::open(file, &at)?))
    }

    fn create_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        let at = self.inner.dirs.parent(dir)?;
        rustix::fs::mkdirat(&at.dir, at.name, Mode::RWXU)
            .map_err(|errno| at.explain(dir, "create", errno))
    }

    fn unlock_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        if self.inner.privileged {
            return Ok(());
        }
        let object = Object::directory(&*self.inner.dirs.open(dir)?).during(dir, "open")?;
        let mode = object.mode();
        if object.is_mine() && !mode.contains(Mode::RWXU) {
            object
                .chmod(mode | Mode::RWXU)
                .during(dir, "make writable")?;
            self.inner.unlocked().entry(dir.clone()).or_insert(mode);
        }
        Ok(())
    }

    fn relock_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        let Some(mode) = self.inner.unlocked().remove(dir) else {
            return Ok(());
        };
        let object = Object::directory(&*self.inner.dirs.open(dir)?).during(dir, "open")?;
        object.chmod(mode).during(dir, "set the mode of")
    }

    fn create_file(&self, file: &TargetPath, new: &NewFile) -> TargetResult<Box<dyn TargetFile>> {
        Ok(Box::new(PartialFile::begin(&self.inner, file, new)?))
    }

    fn write_file(
        &self,
        file: &TargetPath,
        place: Place,
        content: &[u8],
        node: &Node,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        if place == Place::Free
            && let Some(withheld) =
                unnamed_file::write(&self.inner, file, content, node, attributes)?
        {
            return Ok(withheld);
        }
        write_in_steps(self, file, place, content, node, attributes)
    }

    fn create_special(
        &self,
        path: &TargetPath,
        node: &Node,
        place: Place,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        special::create(&self.inner, path, node, place, attributes)
    }

    fn link(&self, original: &TargetPath, link: &TargetPath, place: Place) -> TargetResult<()> {
        special::link(&self.inner, original, link, place)
    }

    fn set_attributes(
        &self,
        path: &TargetPath,
        node: &Node,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        let withheld = match self.inner.dirs.parent(path) {
            Ok(at) => {
                let object = Object::open(&at.dir, at.name).during(path, "open")?;
                if !object.is_a(&node.kind) {
                    return Err(fail(
                        TargetErrorKind::Changed,
                        path,
                        "set attributes of",
                        "it is of another kind now",
                    ));
                }
                self.inner.apply(&object, node, attributes, Origin::Found)
            }
            Err(_) if path.is_root() => {
                let dir = self.inner.dirs.open(path)?;
                let object = Object::directory(&*dir).during(path, "open")?;
                self.inner.apply(&object, node, attributes, Origin::Found)
            }
            Err(error) => return Err(error),
        };
        let withheld = withheld.map_err(|(during, errno)| Failure::from(errno).at(path, during))?;
        self.inner.unlocked().remove(path);
        Ok(withheld)
    }

    fn remove_entry(&self, path: &TargetPath) -> TargetResult<()> {
        let at = self.inner.dirs.parent(path)?;
        rustix::fs::unlinkat(&at.dir, at.name, AtFlags::empty())
            .map_err(|errno| at.explain(path, "remove", errno))
    }

    fn remove_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        let at = self.inner.dirs.parent(dir)?;
        self.inner.dirs.forget();
        rustix::fs::unlinkat(&at.dir, at.name, AtFlags::REMOVEDIR)
            .map_err(|errno| at.explain(dir, "remove", errno))
    }

    fn sync(&self) -> TargetResult<()> {
        let root = TargetPath::root();
        let open = self.inner.dirs.open(&root)?;
        self.inner.touch(&root, &open).during(&root, "look at")?;
        let touched: Vec<TargetPath> = self.inner.touched().values().cloned().collect();
        for dir in touched {
            // What is gone by now was removed, by this restore or by somebody else.
            let open = match self.inner.dirs.open(&dir) {
                Err(error) if error.kind == TargetErrorKind::NotFound => continue,
                open => open?,
            };
            // A descriptor that is only gone through (O_PATH) cannot be flushed.
            let flags = OPEN | OFlags::DIRECTORY;
            match rustix::fs::openat(&*open, c".", flags, Mode::empty()) {
                Ok(open) => rustix::fs::syncfs(open).during(&dir, "flush")?,
                // A directory that this user may not read: every file system is flushed instead.
                Err(_) => rustix::fs::sync(),
            }
        }
        Ok(())
    }
}

impl Inner {
    fn touched(&self) -> std::sync::MutexGuard<'_, HashMap<u64, TargetPath>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the file system of a directory.
    fn touch(&self, path: &TargetPath, dir: &OwnedFd) -> rustix::io::Result<()> {
        let device = rustix::fs::fstat(dir)?.st_dev;
        let mut touched = self.touched();
        touched.entry(device).or_insert_with(|| path.clone());
        Ok(())
    }

    fn unlocked(&self) -> std::sync::MutexGuard<'_, HashMap<TargetPath, Mode>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(
        &self,
        object: &Object,
        node: &Node,
        attributes: &Attributes,
        origin: Origin,
    ) -> Result<Withheld, (&'static str, rustix::io::Errno)> {
        attributes::Setting {
            object,
            node,
            attributes,
            owners: &self.owners,
            privileged: self.privileged,
            origin,
        }
        .apply()
    }
}

/// Flags of every open.
const OPEN: OFlags = OFlags::CLOEXEC
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY);
