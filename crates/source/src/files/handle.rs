//! Access to an entry of a directory.

use std::ffi::CString;
use std::sync::{Arc, OnceLock};

use strongroom_repository::backup::{Children, Content, EntryError, Handle, LeftOutReason};
use strongroom_repository::format::{Node, NodeKind};

use crate::files::content::OpenFile;
use crate::files::directory::Directory;
use crate::files::entry::Context;
use crate::files::failure::Failure;
use crate::files::listing::Listing;
use crate::files::path::child;
use crate::files::xattr;

/// What is stored of the inside of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Its entries.
    Listed,
    /// Nothing: it is the mount point of another file system.
    LeftOut,
}

/// An entry of a directory.
pub(super) struct FileHandle {
    context: Arc<Context>,
    parent: Arc<Directory>,
    name: CString,
    /// The name is that of a symbolic link which is followed.
    follow: bool,
    /// The file system to stay on.
    device: Option<u64>,
    inside: Inside,
    /// The entry as a directory, once that was needed.
    directory: OnceLock<Arc<Directory>>,
}

impl FileHandle {
    pub fn new(
        context: &Arc<Context>,
        parent: &Arc<Directory>,
        name: CString,
        follow: bool,
        device: Option<u64>,
        inside: Inside,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            parent: Arc::clone(parent),
            name,
            follow,
            device,
            inside,
            directory: OnceLock::new(),
        }
    }

    fn path(&self) -> Vec<u8> {
        child(&self.parent.path(&self.context), self.name.to_bytes())
    }

    fn at(&self, failure: Failure) -> EntryError {
        failure.at(self.path())
    }

    fn try_complete(&self, node: &mut Node) -> Result<(), Failure> {
        let directory = self.parent.open(&self.context)?;
        if node.kind == NodeKind::Symlink {
            let target = rustix::fs::readlinkat(&directory, &self.name, Vec::new());
            node.link_target = target.map_err(Failure::call("read the link"))?.into_bytes();
        }
        let path = match self.context.has_proc {
            true => xattr::through_proc(&directory, Some(&self.name)),
            false => self.path(),
        };
        let follow = self.follow;
        xattr::Place::Path { path, follow }.read(&mut node.extended_attributes)
    }

    fn try_children(&self) -> Result<Children, Failure> {
        let directory = self
            .directory
            .get_or_init(|| Directory::below(&self.parent, &self.name, self.follow));
        if self.inside == Inside::LeftOut {
            return Ok(self.nothing(LeftOutReason::OtherFileSystem));
        }
        let names = directory.list(&self.context)?;
        // Opening may have mounted something here, or another directory may have taken the place.
        if let Some(identity) = directory.identity() {
            if self.context.is_own(identity) {
                return Ok(self.nothing(LeftOutReason::Own));
            }
            if self.device.is_some_and(|device| device != identity.device) {
                return Ok(self.nothing(LeftOutReason::OtherFileSystem));
            }
        }
        Ok(Box::new(Listing::new(
            &self.context,
            directory,
            names,
            self.device,
        )))
    }

    fn nothing(&self, reason: LeftOutReason) -> Children {
        self.context.leave_out(self.path(), reason);
        Box::new(std::iter::empty())
    }
}

impl Handle for FileHandle {
    fn complete(&self, node: &mut Node) -> Result<(), EntryError> {
        self.try_complete(node).map_err(|failure| self.at(failure))
    }

    fn children(&self) -> Result<Children, EntryError> {
        self.try_children().map_err(|failure| self.at(failure))
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        let directory = self
            .parent
            .open(&self.context)
            .map_err(|failure| self.at(failure))?;
        let file = OpenFile::open(&self.context, &directory, &self.name, self.follow);
        Ok(Box::new(file.map_err(|failure| self.at(failure))?))
    }
}
