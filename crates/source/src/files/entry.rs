//! Looking at one entry: is it wanted, what is it, how is it reached.

use std::collections::{BTreeSet, HashSet};
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, statat};
use rustix::io::Errno;
use strongroom_repository::backup::{Entry, EntryError, LeftOut, LeftOutReason};
use strongroom_repository::format::Time;

use crate::files::descriptors::Descriptors;
use crate::files::directory::Directory;
use crate::files::failure::Failure;
use crate::files::handle::{FileHandle, Inside};
use crate::files::metadata::{self, Identity, file_type};
use crate::files::owners::Owners;
use crate::files::path::child;
use crate::files::xattr::has_proc;
use crate::files::{FilesError, Options, Symlinks};

/// What all entries of a backup share.
pub(super) struct Context {
    pub options: Options,
    pub owners: Owners,
    pub descriptors: Descriptors,
    /// The working directory; open throughout.
    pub base: OwnedFd,
    /// Whether `/proc` is mounted.
    pub has_proc: bool,
    /// What is left out by its identity.
    own: HashSet<Identity>,
    left_out: Mutex<BTreeSet<(Vec<u8>, LeftOutReason)>>,
}

impl Context {
    pub fn new(options: Options) -> Result<Self, FilesError> {
        let working_directory = options.working_directory.as_os_str().as_bytes();
        if working_directory.first() != Some(&b'/') {
            return Err(FilesError::InvalidPath(working_directory.to_vec()));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = rustix::fs::open(working_directory, flags, Mode::empty()).map_err(|error| {
            FilesError::Unreadable {
                path: working_directory.to_vec(),
                during: "open",
                message: std::io::Error::from(error).to_string(),
            }
        })?;
        let own = options.own.iter();
        let own = own
            .filter_map(|path| statat(&base, path, AtFlags::empty()).ok())
            .map(|stat| Identity::of(&stat))
            .collect();
        Ok(Self {
            owners: Owners::default(),
            descriptors: Descriptors::new(options.open_directories),
            base,
            has_proc: has_proc(),
            own,
            left_out: Mutex::default(),
            options,
        })
    }

    pub fn working_directory(&self) -> &[u8] {
        self.options.working_directory.as_os_str().as_bytes()
    }

    /// A time of the system as the format has it.
    pub fn time(&self, seconds: i64, nanoseconds: impl TryInto<u32>) -> Time {
        Time::from_unix(
            seconds,
            nanoseconds.try_into().unwrap_or(0),
            &self.options.zone,
        )
    }

    /// Takes note of something that is not stored although the user's patterns do not exclude it.
    pub fn leave_out(&self, path: Vec<u8>, reason: LeftOutReason) {
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        left_out.insert((path, reason));
    }

    /// What was left out, each once, in the order of the paths.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        let list = left_out.iter().cloned();
        list.map(|(path, reason)| LeftOut { path, reason })
            .collect()
    }

    pub fn is_own(&self, identity: Identity) -> bool {
        self.own.contains(&identity)
    }
}

/// What an entry turned out to be.
struct Seen {
    stat: Stat,
    /// It was reached through a symbolic link.
    followed: bool,
}

/// Looks at the entry `name` of a directory whose path is `folder`. `None` if it is not wanted.
///
/// `device` is the file system to stay on.
pub(super) fn look_at(
    context: &Arc<Context>,
    directory: &Arc<Directory>,
    folder: &[u8],
    name: CString,
    device: Option<u64>,
) -> Option<Result<Entry, EntryError>> {
    let path = child(folder, name.to_bytes());
    if context
        .options
        .select
        .as_ref()
        .is_some_and(|select| !select(&path))
    {
        return None;
    }
    let seen = match see(context, directory, &path, &name) {
        Ok(seen) => seen?,
        Err(failure) => return Some(Err(failure.at(path))),
    };
    let inside = match reason_to_leave_out(context, &seen.stat, device) {
        None => Inside::Listed,
        Some(LeftOutReason::OtherFileSystem) if file_type(&seen.stat) == FileType::Directory => {
            Inside::LeftOut
        }
        Some(reason) => {
            context.leave_out(path, reason);
            return None;
        }
    };
    let node = metadata::node(name.to_bytes(), &seen.stat, context);
    let handle = FileHandle::new(context, directory, name, seen.followed, device, inside);
    Some(Ok(Entry {
        node,
        source_path: path,
        handle: Box::new(handle),
    }))
}

/// Finds out what an entry is, after the marks of its directory and the policy on symbolic links.
fn see(
    context: &Context,
    directory: &Arc<Directory>,
    path: &[u8],
    name: &CString,
) -> Result<Option<Seen>, Failure> {
    let mut markers = context
        .options
        .markers
        .iter()
        .zip(directory.marks(context)?);
    if markers.any(|(marker, marked)| *marked && marker.name != *name) {
        context.leave_out(directory.path(context), LeftOutReason::Tagged);
        return Ok(None);
    }
    let descriptor = directory.open(context)?;
    let stat =
        statat(&descriptor, name, AtFlags::SYMLINK_NOFOLLOW).map_err(Failure::call("stat"))?;
    if file_type(&stat) != FileType::Symlink {
        return Ok(Some(Seen {
            stat,
            followed: false,
        }));
    }
    match context.options.symlinks {
        Symlinks::ArchiveLink => Ok(Some(Seen {
            stat,
            followed: false,
        })),
        Symlinks::Skip => {
            context.leave_out(path.to_vec(), LeftOutReason::Symlink);
            Ok(None)
        }
        Symlinks::Follow => follow(context, directory, path, &descriptor, name, stat).map(Some),
    }
}

/// What a symbolic link leads to; the link itself where that is nothing or a directory above it.
fn follow(
    context: &Context,
    directory: &Directory,
    path: &[u8],
    descriptor: &OwnedFd,
    name: &CString,
    link: Stat,
) -> Result<Seen, Failure> {
    let as_link = Seen {
        stat: link,
        followed: false,
    };
    match statat(descriptor, name, AtFlags::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(as_link),
        Err(Errno::LOOP) => {
            context.leave_out(path.to_vec(), LeftOutReason::SymlinkLoop);
            Ok(as_link)
        }
        Err(error) => Err(Failure::call("follow the link")(error)),
        Ok(stat) if directory.lies_in(Identity::of(&stat)) => {
            context.leave_out(path.to_vec(), LeftOutReason::SymlinkLoop);
            Ok(as_link)
        }
        Ok(stat) => Ok(Seen {
            stat,
            followed: true,
        }),
    }
}

fn reason_to_leave_out(
    context: &Context,
    stat: &Stat,
    device: Option<u64>,
) -> Option<LeftOutReason> {
    let options = &context.options;
    let is_file = file_type(stat) == FileType::RegularFile;
    let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
    if context.is_own(Identity::of(stat)) {
        Some(LeftOutReason::Own)
    } else if device.is_some_and(|device| device != stat.st_dev) {
        Some(LeftOutReason::OtherFileSystem)
    } else if is_file
        && options
            .larger_than_bytes
            .is_some_and(|limit| size_bytes > limit)
    {
        Some(LeftOutReason::TooLarge)
    } else {
        None
    }
}
