//! The root of a backup and the folders above the named paths.

use std::sync::Arc;

use rustix::fs::fstat;
use strongroom_repository::backup::{Children, Content, Entry, EntryError, Handle};
use strongroom_repository::format::Node;

use crate::files::directory::open_path;
use crate::files::entry::{Context, look_at};
use crate::files::failure::Failure;
use crate::files::layout::Branch;
use crate::files::metadata;
use crate::files::path::absolute;
use crate::files::targets::Targets;
use crate::files::xattr::{Place, through_proc};

/// The root or a folder that is passed through.
pub(super) struct TopHandle {
    context: Arc<Context>,
    targets: Arc<Targets>,
    /// Names in the snapshot that lead here; none for the root.
    names: Vec<Vec<u8>>,
}

impl TopHandle {
    pub fn root(context: &Arc<Context>, targets: &Arc<Targets>) -> Self {
        Self {
            context: Arc::clone(context),
            targets: Arc::clone(targets),
            names: Vec::new(),
        }
    }

    fn branch(&self) -> Option<&Branch> {
        let mut branch = &self.targets.layout;
        for name in &self.names {
            branch = branch.children.get(name)?;
        }
        Some(branch)
    }

    fn folder(&self) -> Vec<u8> {
        let folder = self.branch().map_or(&[][..], |branch| &branch.folder);
        absolute(self.context.working_directory(), folder)
    }

    fn entry(&self, name: &[u8], branch: &Branch) -> Option<Result<Entry, EntryError>> {
        let mut entry = match &branch.target {
            Some(target) => self.leaf(target)?,
            None => self.passed_through(name, &branch.folder),
        };
        if let Ok(entry) = &mut entry {
            entry.node.name = name.to_vec();
        }
        Some(entry)
    }

    fn leaf(&self, target: &[u8]) -> Option<Result<Entry, EntryError>> {
        match self.targets.place(target) {
            Ok((directory, name)) => {
                let folder = directory.path(&self.context);
                let device = self.targets.device(target, &self.context);
                look_at(&self.context, &directory, &folder, name, device)
            }
            Err(failure) => Some(Err(failure.at(target.to_vec()))),
        }
    }

    /// A folder with the metadata of what its path leads to: symbolic links in it are followed.
    fn passed_through(&self, name: &[u8], folder: &[u8]) -> Result<Entry, EntryError> {
        let source_path = absolute(self.context.working_directory(), folder);
        let stat = open_path(folder, &self.context)
            .and_then(|descriptor| fstat(&descriptor).map_err(Failure::call("stat")))
            .map_err(|failure| failure.at(source_path.clone()))?;
        let mut names = self.names.clone();
        names.push(name.to_vec());
        Ok(Entry {
            node: metadata::node(name, &stat, &self.context),
            source_path,
            handle: Box::new(Self {
                context: Arc::clone(&self.context),
                targets: Arc::clone(&self.targets),
                names,
            }),
        })
    }

    fn attributes(&self, branch: &Branch, node: &mut Node) -> Result<(), Failure> {
        let descriptor = open_path(&branch.folder, &self.context)?;
        let path = match self.context.has_proc {
            true => through_proc(&descriptor, None),
            false => self.folder(),
        };
        let follow = true;
        Place::Path { path, follow }.read(&mut node.extended_attributes)
    }

    /// What was asked for and does not exist.
    fn missing(&self) -> impl Iterator<Item = Result<Entry, EntryError>> + use<> {
        let missing = if self.names.is_empty() {
            self.targets.missing.clone()
        } else {
            Vec::new()
        };
        missing.into_iter().map(|path| {
            Err(EntryError {
                path,
                during: "find",
                message: "does not exist".to_owned(),
                vanished: true,
            })
        })
    }
}

impl Handle for TopHandle {
    fn complete(&self, node: &mut Node) -> Result<(), EntryError> {
        let Some(branch) = self.branch().filter(|_| !self.names.is_empty()) else {
            return Ok(());
        };
        self.attributes(branch, node)
            .map_err(|failure| failure.at(self.folder()))
    }

    fn children(&self) -> Result<Children, EntryError> {
        let handle = Self {
            context: Arc::clone(&self.context),
            targets: Arc::clone(&self.targets),
            names: self.names.clone(),
        };
        let names: Vec<Vec<u8>> = match self.branch() {
            Some(branch) => branch.children.keys().cloned().collect(),
            None => Vec::new(),
        };
        let missing = handle.missing();
        let entries = names.into_iter().filter_map(move |name| {
            let branch = handle.branch()?.children.get(&name)?;
            handle.entry(&name, branch)
        });
        Ok(Box::new(entries.chain(missing)))
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        Err(Failure::changed("open", "is a directory").at(self.folder()))
    }
}
