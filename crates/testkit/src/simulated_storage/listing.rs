//! Listings that do not show the files as they are.

use std::collections::{BTreeMap, VecDeque};

use strongroom_storage::{FileInfo, StoragePath};

use super::choice::Shown;

/// The last changes, each with the size that the file had before; `None` where there was none.
#[derive(Default)]
pub(super) struct History(VecDeque<(StoragePath, Option<u64>)>);

const REMEMBERED: usize = 16;

impl History {
    pub fn changed(&mut self, path: &StoragePath, before: Option<u64>) {
        self.0.push_back((path.clone(), before));
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    /// The files of a folder as a listing shows them.
    pub fn show(
        &self,
        files: Vec<FileInfo>,
        folder: Option<&StoragePath>,
        shown: Shown,
    ) -> Vec<FileInfo> {
        match shown {
            Shown::All => files,
            Shown::Stale(changes) => self.before(files, folder, changes),
            Shown::Partial(count, from) => without(files, count, from),
            Shown::Twice(count) => {
                let again: Vec<FileInfo> = files.iter().take(count).cloned().collect();
                files.into_iter().chain(again).collect()
            }
        }
    }

    fn before(
        &self,
        files: Vec<FileInfo>,
        folder: Option<&StoragePath>,
        changes: usize,
    ) -> Vec<FileInfo> {
        let mut sizes: BTreeMap<StoragePath, u64> = files
            .into_iter()
            .map(|file| (file.path, file.size_bytes))
            .collect();
        let inside = |path: &StoragePath| folder.is_none_or(|folder| path.is_below(folder));
        let recent = self.0.iter().rev().filter(|(path, _)| inside(path));
        for (path, before) in recent.take(changes) {
            match before {
                Some(size_bytes) => sizes.insert(path.clone(), *size_bytes),
                None => sizes.remove(path),
            };
        }
        sizes
            .into_iter()
            .map(|(path, size_bytes)| FileInfo { path, size_bytes })
            .collect()
    }
}

fn without(mut files: Vec<FileInfo>, count: usize, from: u64) -> Vec<FileInfo> {
    for _ in 0..count.min(files.len()) {
        let place = from % files.len() as u64;
        files.remove(place as usize);
    }
    files
}
