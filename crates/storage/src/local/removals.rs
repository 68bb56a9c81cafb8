//! The order in which deletions reach the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::folders;
use crate::StoragePath;

/// Folders with deletions that may not be on disk yet, by top-level folder.
///
/// A power cut may bring a deleted file back. It must not bring back an index whose packs stay gone, so what
/// was deleted in one top-level folder is synced before a deletion in another begins.
#[derive(Debug, Default)]
pub(super) struct Removals {
    unsynced: Mutex<BTreeMap<String, BTreeSet<PathBuf>>>,
}

impl Removals {
    /// To be called before the file is removed.
    pub(super) fn before(&self, path: &StoragePath) -> io::Result<()> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        let top = path.top_folder();
        // The lock is held while syncing: a second deletion must not overtake the sync that it waits for.
        while let Some(other) = unsynced.keys().find(|key| key.as_str() != top).cloned() {
            for folder in unsynced.get(&other).into_iter().flatten() {
                match folders::sync(folder) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
            unsynced.remove(&other);
        }
        Ok(())
    }

    /// To be called after the file was removed.
    pub(super) fn after(&self, path: &StoragePath, folder: &Path) {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced
            .entry(path.top_folder().to_owned())
            .or_default()
            .insert(folder.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_of_one_top_level_folder_are_synced_before_those_of_another() {
        let root = tempfile::tempdir().unwrap();
        let removals = Removals::default();
        let index = StoragePath::new("index/a").unwrap();
        let pack = StoragePath::new("data/00/a").unwrap();
        let waiting = || {
            removals
                .unsynced
                .lock()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };

        removals.before(&index).unwrap();
        removals.after(&index, root.path());
        removals.before(&index).unwrap();
        assert_eq!(
            waiting(),
            ["index"],
            "no sync between deletions in one folder"
        );
        removals.before(&pack).unwrap();
        assert!(waiting().is_empty());
        removals.after(&pack, root.path());
        assert_eq!(waiting(), ["data"]);
    }
}
