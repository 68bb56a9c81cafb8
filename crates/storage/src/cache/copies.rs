//! The copies of one storage's files, and what this process knows of them. All calls block.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::CacheSettings;
use super::bound::Bound;
use super::files::{self, Files};
use super::rules;
use crate::{ByteRange, FileInfo, StoragePath};

#[derive(Debug)]
pub(super) struct Copies {
    files: Files,
    settings: CacheSettings,
    bound: Bound,
    known: Mutex<Known>,
}

/// What this process has learned of the copies.
#[derive(Debug, Default)]
struct Known {
    files: HashMap<StoragePath, Trust>,
    /// The folders were made.
    prepared: bool,
    /// The copies were marked as used.
    marked: bool,
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The copy's content was seen to be what its name says.
    Verified,
    /// The storage itself has other content under this name; it is not cached.
    Never,
}

impl Copies {
    pub(super) fn new(root: &Path, name: &str, settings: CacheSettings) -> Self {
        Self {
            files: Files::new(root, name),
            settings,
            bound: Bound::new(settings.max_total_bytes),
            known: Mutex::default(),
        }
    }

    /// Why no more copies are stored.
    pub(super) fn problem(&self) -> Option<String> {
        self.known().problem.clone()
    }

    pub(super) fn is_verified(&self, path: &StoragePath) -> bool {
        self.trust(path) == Some(Trust::Verified)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trust(&self, path: &StoragePath) -> Option<Trust> {
        self.known().files.get(path).copied()
    }

    fn set_trust(&self, path: &StoragePath, trust: Option<Trust>) {
        match trust {
            Some(trust) => self.known().files.insert(path.clone(), trust),
            None => self.known().files.remove(path),
        };
    }

    /// The range of a copy that is what its name says, if there is one.
    pub(super) fn load(&self, path: &StoragePath, range: Option<ByteRange>) -> Option<Bytes> {
        self.mark_used();
        if self.is_verified(path) {
            let data = self.files.load(path, range);
            if data.is_none() {
                self.set_trust(path, None);
            }
            return data;
        }
        let data = self
            .files
            .load_verified(path, self.settings.max_file_bytes)?;
        self.set_trust(path, Some(Trust::Verified));
        range.map_or(Some(data.clone()), |range| cut(&data, range))
    }

    /// Whether storing a file of this size would be tried.
    pub(super) fn may_store(&self, path: &StoragePath, size_bytes: u64) -> bool {
        size_bytes <= self.settings.max_file_bytes
            && self.bound.may_take(size_bytes)
            && self.known().problem.is_none()
            && self.trust(path) != Some(Trust::Never)
    }

    /// Stores what was read, if it is what its name says.
    pub(super) fn store_read(&self, path: &StoragePath, data: &[u8]) {
        if !files::is_content_of(path, data) {
            self.set_trust(path, Some(Trust::Never));
        } else if self.store(path, data) {
            self.set_trust(path, Some(Trust::Verified));
        }
    }

    /// Stores what the storage has just taken; its hash is checked when it is read. `false` where it was not stored.
    pub(super) fn store(&self, path: &StoragePath, data: &[u8]) -> bool {
        let size_bytes = data.len() as u64;
        if !self.may_store(path, size_bytes) {
            return false;
        }
        let result = self.prepare().and_then(|()| {
            let in_use = |copy: &Path| {
                let original = self.files.original(copy);
                original.is_some_and(|path| self.is_verified(&path))
            };
            if self.bound.make_room(self.files.root(), size_bytes, in_use) {
                self.files.store(path, data).map(|()| true)
            } else {
                Ok(false)
            }
        });
        result.unwrap_or_else(|error| {
            // A folder that went away under us was cleaned up by somebody; the next copy makes it anew.
            if error.kind() != io::ErrorKind::NotFound {
                self.known()
                    .problem
                    .get_or_insert_with(|| error.to_string());
            }
            false
        })
    }

    /// Makes the folders, once.
    fn prepare(&self) -> io::Result<()> {
        if !self.known().prepared {
            self.files.prepare()?;
            self.known().prepared = true;
        }
        Ok(())
    }

    /// Says once a process that the copies are in use, where there are any.
    fn mark_used(&self) {
        if !std::mem::replace(&mut self.known().marked, true) {
            self.files.mark_used();
        }
    }

    pub(super) fn remove(&self, path: &StoragePath) {
        self.set_trust(path, None);
        self.files.remove(path);
    }

    pub(super) fn retain(&self, folder: &StoragePath, keep: &HashSet<StoragePath>) {
        for gone in self.files.retain(folder, keep) {
            self.set_trust(&gone, None);
        }
    }

    /// Drops what a listing of `folder` does not show.
    pub(super) fn retain_listed(&self, folder: Option<&StoragePath>, listed: &[FileInfo]) {
        let keep: HashSet<_> = listed.iter().map(|file| file.path.clone()).collect();
        let all = rules::FOLDERS
            .iter()
            .filter_map(|name| StoragePath::new(*name).ok());
        for candidate in all.filter(|name| folder.is_none_or(|folder| folder == name)) {
            self.retain(&candidate, &keep);
        }
    }
}

/// The part of the whole, in memory of its own: a slice would keep all of a pack alive.
pub(super) fn cut(data: &Bytes, range: ByteRange) -> Option<Bytes> {
    let start = usize::try_from(range.offset).ok()?;
    let end = start.checked_add(usize::try_from(range.length).ok()?)?;
    data.get(start..end).map(Bytes::copy_from_slice)
}
