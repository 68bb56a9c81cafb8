//! The paths that the user named, looked up once at the beginning.

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, Stat, statat};
use rustix::io::Errno;
use strongroom_repository::pattern::clean;

use crate::files::directory::Directory;
use crate::files::entry::Context;
use crate::files::failure::Failure;
use crate::files::layout::{Branch, lay_out};
use crate::files::path::{absolute, join, split};
use crate::files::{FilesError, Symlinks};

/// What a backup is of.
pub(super) struct Targets {
    /// For the snapshot: absolute, clean, in the order in which they were named.
    pub absolute_paths: Vec<Vec<u8>>,
    /// Absolute paths of targets that do not exist.
    pub missing: Vec<Vec<u8>>,
    /// What the snapshot looks like.
    pub layout: Branch,
    /// Folders that targets lie in, by their clean path.
    folders: HashMap<Vec<u8>, Arc<Directory>>,
    /// File systems of the targets by absolute path; empty if all file systems are wanted.
    devices: HashMap<Vec<u8>, u64>,
}

impl Targets {
    pub fn new(paths: &[Vec<u8>], context: &Context) -> Result<Self, FilesError> {
        if paths.is_empty() {
            return Err(FilesError::NoPath);
        }
        let mut targets = Self {
            absolute_paths: Vec::new(),
            missing: Vec::new(),
            layout: Branch::default(),
            folders: HashMap::new(),
            devices: HashMap::new(),
        };
        let mut existing = Vec::new();
        for path in paths {
            targets.add(path, context, &mut existing)?;
        }
        if existing.is_empty() {
            return Err(FilesError::NoneExists);
        }
        targets
            .missing
            .extend(context.options.unmatched.iter().cloned());
        targets.layout = lay_out(&existing, &|folder| list(folder, context))?;
        targets.note_folders();
        Ok(targets)
    }

    fn add(
        &mut self,
        named: &[u8],
        context: &Context,
        existing: &mut Vec<Vec<u8>>,
    ) -> Result<(), FilesError> {
        if named.contains(&0) {
            return Err(FilesError::InvalidPath(named.to_vec()));
        }
        let path = clean(named);
        let whole = absolute(context.working_directory(), &path);
        match self.look_up(&path, context) {
            _ if named.is_empty() => self.missing.push(Vec::new()),
            Err(Errno::NOENT) => self.missing.push(whole),
            found => {
                if let (Ok(stat), true) = (found, context.options.one_file_system) {
                    self.devices.insert(whole.clone(), stat.st_dev);
                }
                self.absolute_paths.push(whole);
                existing.push(path);
            }
        }
        Ok(())
    }

    fn look_up(&mut self, path: &[u8], context: &Context) -> Result<Stat, Errno> {
        let flags = match context.options.symlinks {
            Symlinks::Follow => AtFlags::empty(),
            Symlinks::ArchiveLink | Symlinks::Skip => AtFlags::SYMLINK_NOFOLLOW,
        };
        let Some((folder, name)) = split(path) else {
            return statat(context.base.as_fd(), path, flags);
        };
        let folder =
            self.folder(folder)
                .open(context)
                .map_err(|failure| match failure.vanished {
                    true => Errno::NOENT,
                    false => Errno::ACCESS,
                })?;
        match statat(&folder, name, flags) {
            Err(Errno::NOENT | Errno::LOOP) => statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW),
            found => found,
        }
    }

    fn folder(&mut self, path: &[u8]) -> Arc<Directory> {
        let folder = self.folders.entry(path.to_vec());
        Arc::clone(folder.or_insert_with(|| Directory::at_path(path)))
    }

    /// Makes every folder of a leaf known, so that leaves of one folder share its descriptor.
    fn note_folders(&mut self) {
        let mut folders = Vec::new();
        let mut pending = vec![&self.layout];
        while let Some(branch) = pending.pop() {
            let target = branch.target.as_deref();
            folders.extend(target.and_then(split).map(|(folder, _)| folder.to_vec()));
            pending.extend(branch.children.values());
        }
        for folder in folders {
            self.folder(&folder);
        }
    }

    /// Where the entry of a target is found: directory and name.
    pub fn place(&self, target: &[u8]) -> Result<(Arc<Directory>, CString), Failure> {
        let found = split(target).and_then(|(folder, name)| {
            let name = CString::new(name).ok()?;
            Some((Arc::clone(self.folders.get(folder)?), name))
        });
        found.ok_or_else(|| Failure::changed("open", "not a valid path"))
    }

    /// The file system to stay on at and below a target: that of the nearest path which was asked for.
    pub fn device(&self, target: &[u8], context: &Context) -> Option<u64> {
        if self.devices.is_empty() {
            return None;
        }
        let mut path = absolute(context.working_directory(), target);
        loop {
            if let Some(device) = self.devices.get(&path) {
                return Some(*device);
            }
            let above = join(&path, b"..");
            if above == path {
                return None;
            }
            path = above;
        }
    }
}

fn list(folder: &[u8], context: &Context) -> Result<Vec<Vec<u8>>, FilesError> {
    let names = Directory::at_path(folder)
        .list(context)
        .map_err(|failure| FilesError::Unreadable {
            path: absolute(context.working_directory(), folder),
            during: failure.during,
            message: failure.message,
        })?;
    Ok(names
        .into_iter()
        .map(|name| name.name.into_bytes())
        .collect())
}
