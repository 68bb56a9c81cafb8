//! Files and directories of this machine (Linux).
//!
//! [`Files`] takes the paths that the user named and gives the tree that a snapshot of them has, laid out as restic
//! lays it out (see [`layout`]). Everything below is read relative to open directory descriptors: no path gets too
//! long, and a symbolic link that is planted while the backup runs leads nowhere. The number of descriptors is bounded
//! (see [`descriptors`]).
//!
//! Cost of a file: one `fstatat` when it is listed, and `openat`, `fstat`, `flistxattr`, `read` and `close` if it is read;
//! of another entry `fstatat` and one `llistxattr` when the engine completes it; a directory adds `openat`, `fstat`, `getdents` twice and `close`.

mod content;
mod descriptors;
mod directory;
mod entry;
mod failure;
mod handle;
mod layout;
mod listing;
mod marker;
mod metadata;
mod options;
mod owners;
mod path;
pub mod target;
mod targets;
mod top;
mod xattr;

use std::sync::Arc;

use strongroom_repository::backup::{Handle, LeftOut, Source};

use entry::Context;
use targets::Targets;
use top::TopHandle;

pub use marker::Marker;
pub use options::{Options, Select, Symlinks};

/// Why a backup of files cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// No path was given.
    #[error("no path to back up was given")]
    NoPath,
    /// None of the paths exists.
    #[error("none of the paths to back up exists")]
    NoneExists,
    /// Two paths claim the same place in the snapshot.
    #[error("two of the paths would be stored at the same place: {}", String::from_utf8_lossy(.0))]
    Collision(Vec<u8>),
    /// A path with a zero byte, or a working directory that is not absolute.
    #[error("not a valid path: {}", String::from_utf8_lossy(.0))]
    InvalidPath(Vec<u8>),
    /// A directory whose entries are needed to lay out the snapshot cannot be read.
    #[error("cannot {during} {}: {message}", String::from_utf8_lossy(.path))]
    Unreadable {
        /// The directory.
        path: Vec<u8>,
        /// What was being done.
        during: &'static str,
        /// What the system said.
        message: String,
    },
    /// A marker without a file name.
    #[error("a marker needs a file name: {0:?}")]
    InvalidMarker(String),
}

/// The files and directories of a backup.
pub struct Files {
    context: Arc<Context>,
    targets: Arc<Targets>,
}

impl Files {
    /// A backup of some paths: absolute, or relative to [`Options::working_directory`].
    ///
    /// A path that does not exist becomes an error among the children of the root, so that the backup is partial; an
    /// error is returned only if none exists. A target that is the repository itself is left out like everywhere else.
    pub fn new(paths: &[Vec<u8>], options: Options) -> Result<Self, FilesError> {
        let context = Arc::new(Context::new(options)?);
        let targets = Arc::new(Targets::new(paths, &context)?);
        Ok(Self { context, targets })
    }
}

impl Source for Files {
    fn paths(&self) -> Vec<String> {
        self.targets
            .absolute_paths
            .iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }

    fn root(&self) -> Box<dyn Handle> {
        Box::new(TopHandle::root(&self.context, &self.targets))
    }

    fn left_out(&self) -> Vec<LeftOut> {
        self.context.left_out()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use rustix::fs::XattrFlags;

    use super::*;

    #[test]
    fn attributes_are_read_without_proc_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("dir")).unwrap();
        std::fs::write(folder.path().join("dir/file"), "").unwrap();
        for (path, value) in [("dir", b"1"), ("dir/file", b"2")] {
            let path = folder.path().join(path);
            rustix::fs::setxattr(&path, "user.of", value, XattrFlags::empty()).unwrap();
        }
        let options = Options::new(folder.path().to_owned(), TimeZone::UTC);
        let mut context = Context::new(options).unwrap();
        context.has_proc = false;
        let targets = Targets::new(&[b"dir/file".to_vec()], &context).unwrap();
        let files = Files {
            context: Arc::new(context),
            targets: Arc::new(targets),
        };
        let mut handle = files.root();
        for value in [b"1", b"2"] {
            let mut entry = handle.children().unwrap().next().unwrap().unwrap();
            entry.handle.complete(&mut entry.node).unwrap();
            assert_eq!(entry.node.extended_attributes[0].value, value);
            handle = entry.handle;
        }
    }
}
