//! A directory on the way of a backup, found again whenever it is needed.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};

use crate::files::entry::Context;
use crate::files::failure::Failure;
use crate::files::metadata::Identity;
use crate::files::path::{absolute, child};

/// Bytes that one `getdents` may fill: about a thousand names.
const LISTING_BYTES: usize = 64 * 1024;

/// The longest path that is given to the system in one piece; `PATH_MAX` is 4096 with the final zero.
const PATH_BYTES: usize = 4000;

/// A directory. Its descriptor is opened when needed and closed by [`Descriptors`](super::descriptors::Descriptors).
pub(super) struct Directory {
    way: Way,
    /// What it was when it was first opened; it must be the same one each time.
    identity: OnceLock<Identity>,
    descriptor: Mutex<Option<Arc<OwnedFd>>>,
    used: AtomicBool,
    /// Which of the options' markers lie in it.
    marks: OnceLock<Vec<bool>>,
}

/// How a directory is reached.
enum Way {
    /// By a path that the user named, relative to the working directory; symbolic links in it are followed.
    Path(Vec<u8>),
    /// From the directory that it was listed in.
    Below {
        parent: Arc<Directory>,
        name: CString,
        /// It was reached through a symbolic link under that name, which is to be followed.
        through_link: bool,
    },
}

/// A name in a directory with its inode number, by which looking at entries is cheapest.
pub(super) struct Name {
    pub name: CString,
    pub inode: u64,
}

impl Directory {
    /// The directory of a path that the user named.
    pub fn at_path(path: &[u8]) -> Arc<Self> {
        Arc::new(Self::new(Way::Path(path.to_vec())))
    }

    /// An entry of a directory as a directory.
    pub fn below(parent: &Arc<Self>, name: &CStr, through_link: bool) -> Arc<Self> {
        Arc::new(Self::new(Way::Below {
            parent: Arc::clone(parent),
            name: name.to_owned(),
            through_link,
        }))
    }

    fn new(way: Way) -> Self {
        Self {
            way,
            identity: OnceLock::new(),
            descriptor: Mutex::new(None),
            used: AtomicBool::new(false),
            marks: OnceLock::new(),
        }
    }

    /// Its absolute path. Put together on demand: kept in each of a deep chain, it would take memory with the square of the depth.
    pub fn path(&self, context: &Context) -> Vec<u8> {
        let mut names = Vec::new();
        let mut directory = self;
        loop {
            match &directory.way {
                Way::Below { parent, name, .. } => {
                    names.push(name);
                    directory = parent;
                }
                Way::Path(path) => {
                    let mut whole = absolute(context.working_directory(), path);
                    for name in names.iter().rev() {
                        whole = child_owned(whole, name.to_bytes());
                    }
                    return whole;
                }
            }
        }
    }

    /// Whether an entry of this directory that is itself `identity` would be one of the directories that it lies in.
    ///
    /// The directory of a named path does not count: it is not in the snapshot itself.
    pub fn lies_in(&self, identity: Identity) -> bool {
        let mut directory = self;
        while let Way::Below { parent, .. } = &directory.way {
            if directory.identity.get() == Some(&identity) {
                return true;
            }
            directory = parent;
        }
        false
    }

    /// Which file or directory it is; known once it has been opened.
    pub fn identity(&self) -> Option<Identity> {
        self.identity.get().copied()
    }

    /// Which of the options' markers lie in it; looked up once.
    pub fn marks(self: &Arc<Self>, context: &Context) -> Result<&[bool], Failure> {
        if let Some(marks) = self.marks.get() {
            return Ok(marks);
        }
        let descriptor = self.open(context)?;
        let marks = context.options.markers.iter();
        let marks = marks
            .map(|marker| marker.marks(descriptor.as_fd()))
            .collect();
        Ok(self.marks.get_or_init(|| marks))
    }

    /// A descriptor to reach entries from. It may be one that cannot be read from.
    pub fn open(self: &Arc<Self>, context: &Context) -> Result<Arc<OwnedFd>, Failure> {
        let mut closed = vec![self];
        let mut above = loop {
            let Some(directory) = closed.last() else {
                return Err(Failure::changed("open", "no way leads there"));
            };
            if let Some(descriptor) = directory.descriptor() {
                closed.pop();
                break Some(descriptor);
            }
            match &directory.way {
                Way::Below { parent, .. } => closed.push(parent),
                Way::Path(_) => break None,
            }
        };
        while let Some(directory) = closed.pop() {
            let descriptor = directory.open_from(above.as_deref(), OFlags::PATH, context)?;
            above = Some(directory.keep(descriptor, context)?);
        }
        above.ok_or_else(|| Failure::changed("open", "no way leads there"))
    }

    /// The names in it, in the order of their bytes.
    pub fn list(self: &Arc<Self>, context: &Context) -> Result<Vec<Name>, Failure> {
        let descriptor = match (self.descriptor(), &self.way) {
            (Some(open), _) => Arc::new(open_listable(&open, c".", false, context)?),
            (None, Way::Path(_)) => {
                let open = self.open(context)?;
                Arc::new(open_listable(&open, c".", false, context)?)
            }
            (None, Way::Below { parent, .. }) => {
                let above = parent.open(context)?;
                let descriptor = self.open_from(Some(&above), OFlags::RDONLY, context)?;
                self.keep(descriptor, context)?
            }
        };
        let mut names = read_names(&descriptor).map_err(Failure::call("list"))?;
        names.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        names.dedup_by(|a, b| a.name == b.name);
        Ok(names)
    }

    /// Closes its descriptor unless it was used since the last call; `false` if it stays open.
    pub fn close_if_idle(&self) -> bool {
        if self.used.swap(false, Ordering::Relaxed) {
            return false;
        }
        match self.descriptor.try_lock() {
            Ok(mut descriptor) => {
                *descriptor = None;
                true
            }
            Err(_) => false,
        }
    }

    fn descriptor(&self) -> Option<Arc<OwnedFd>> {
        let descriptor = self
            .descriptor
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if descriptor.is_some() {
            self.used.store(true, Ordering::Relaxed);
        }
        descriptor.clone()
    }

    /// Keeps a descriptor that was just opened, after making sure that it is the same directory as before.
    fn keep(
        self: &Arc<Self>,
        descriptor: OwnedFd,
        context: &Context,
    ) -> Result<Arc<OwnedFd>, Failure> {
        let stat = rustix::fs::fstat(&descriptor).map_err(Failure::call("stat"))?;
        let identity = Identity::of(&stat);
        if *self.identity.get_or_init(|| identity) != identity {
            return Err(Failure::changed(
                "open",
                "another directory has taken its place",
            ));
        }
        let descriptor = Arc::new(descriptor);
        *self
            .descriptor
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&descriptor));
        context.descriptors.opened(self);
        Ok(descriptor)
    }

    fn open_from(
        &self,
        above: Option<&OwnedFd>,
        access: OFlags,
        context: &Context,
    ) -> Result<OwnedFd, Failure> {
        match (&self.way, above) {
            (Way::Path(path), _) => open_path(path, context),
            (
                Way::Below {
                    name, through_link, ..
                },
                Some(above),
            ) if access == OFlags::RDONLY => open_listable(above, name, *through_link, context),
            (
                Way::Below {
                    name, through_link, ..
                },
                Some(above),
            ) => {
                let flags = access | OFlags::DIRECTORY | OFlags::CLOEXEC | no_follow(*through_link);
                retry_on_intr(|| rustix::fs::openat(above, name, flags, Mode::empty()))
                    .map_err(Failure::call("open"))
            }
            (Way::Below { .. }, None) => Err(Failure::changed("open", "no way leads there")),
        }
    }
}

impl Drop for Directory {
    /// Parents that nothing else needs go one by one: a chain of many thousands would use up the stack.
    fn drop(&mut self) {
        let mut way = std::mem::replace(&mut self.way, Way::Path(Vec::new()));
        while let Way::Below { parent, .. } = way {
            let Some(mut parent) = Arc::into_inner(parent) else {
                return;
            };
            way = std::mem::replace(&mut parent.way, Way::Path(Vec::new()));
        }
    }
}

/// The flag that refuses a symbolic link, unless one is to be followed.
pub(super) fn no_follow(follow: bool) -> OFlags {
    if follow {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    }
}

/// Opens without changing the time of the last read where that is allowed: to the owner and to root.
pub(super) fn open_unnoticed(
    directory: &OwnedFd,
    name: &CStr,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let open = |flags| {
        retry_on_intr(|| {
            rustix::fs::openat(directory, name, flags | OFlags::CLOEXEC, Mode::empty())
        })
    };
    match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => open(flags),
        result => result,
    }
}

fn open_listable(
    directory: &OwnedFd,
    name: &CStr,
    follow: bool,
    _: &Context,
) -> Result<OwnedFd, Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | no_follow(follow);
    open_unnoticed(directory, name, flags).map_err(Failure::call("open"))
}

fn child_owned(mut folder: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if folder == b"/" {
        return child(&folder, name);
    }
    folder.push(b'/');
    folder.extend_from_slice(name);
    folder
}

/// Opens a directory by a path of any length, piece by piece. Needs the right to search, not to read.
pub(super) fn open_path(path: &[u8], context: &Context) -> Result<OwnedFd, Failure> {
    let open = |directory: &OwnedFd, piece: &[u8]| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::openat(directory, piece, flags, Mode::empty()))
            .map_err(Failure::call("open"))
    };
    let mut rest = path;
    let mut directory: Option<OwnedFd> = None;
    loop {
        let start = directory.as_ref().unwrap_or(&context.base);
        if rest.len() <= PATH_BYTES {
            let rest = if rest.is_empty() { b"." } else { rest };
            return open(start, rest);
        }
        let (head, _) = rest.split_at(PATH_BYTES);
        let cut = head.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        if cut == 0 {
            return Err(Failure::call("open")(Errno::NAMETOOLONG));
        }
        let (piece, below) = rest.split_at(cut);
        directory = Some(open(start, piece)?);
        rest = below.strip_prefix(b"/").unwrap_or(below);
    }
}

fn read_names(descriptor: &OwnedFd) -> Result<Vec<Name>, Errno> {
    let mut buffer = Vec::with_capacity(LISTING_BYTES);
    let mut listing = RawDir::new(descriptor, buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = listing.next() {
        let entry = match entry {
            Err(Errno::INTR) => continue,
            entry => entry?,
        };
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(Name {
                name: entry.file_name().to_owned(),
                inode: entry.ino(),
            });
        }
    }
    Ok(names)
}
