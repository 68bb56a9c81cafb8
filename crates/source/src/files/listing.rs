//! The entries of a directory, looked at as they are asked for.

use std::sync::Arc;
use std::vec::IntoIter;

use strongroom_repository::backup::{Entry, EntryError};

use crate::files::directory::{Directory, Name};
use crate::files::entry::{Context, look_at};

/// Entries that are looked at ahead. Within a batch that happens in the order of the inode numbers, which is the order
/// on a disk; it also bounds the memory of a directory of millions of files.
const BATCH: usize = 1024;

/// The entries of a directory, in the order of the names' bytes.
pub(super) struct Listing {
    context: Arc<Context>,
    directory: Arc<Directory>,
    path: Vec<u8>,
    device: Option<u64>,
    names: IntoIter<Name>,
    ready: IntoIter<Option<Result<Entry, EntryError>>>,
}

impl Listing {
    pub fn new(
        context: &Arc<Context>,
        directory: &Arc<Directory>,
        names: Vec<Name>,
        device: Option<u64>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            directory: Arc::clone(directory),
            path: directory.path(context),
            device,
            names: names.into_iter(),
            ready: Vec::new().into_iter(),
        }
    }

    fn look_ahead(&mut self) -> Vec<Option<Result<Entry, EntryError>>> {
        let mut batch: Vec<_> = self.names.by_ref().take(BATCH).enumerate().collect();
        batch.sort_unstable_by_key(|(_, name)| name.inode);
        let mut seen: Vec<_> = batch
            .into_iter()
            .map(|(place, name)| {
                let entry = look_at(
                    &self.context,
                    &self.directory,
                    &self.path,
                    name.name,
                    self.device,
                );
                (place, entry)
            })
            .collect();
        seen.sort_unstable_by_key(|(place, _)| *place);
        seen.into_iter().map(|(_, entry)| entry).collect()
    }
}

impl Iterator for Listing {
    type Item = Result<Entry, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.by_ref().flatten().next() {
                return Some(entry);
            }
            let batch = self.look_ahead();
            if batch.is_empty() {
                return None;
            }
            self.ready = batch.into_iter();
        }
    }
}
