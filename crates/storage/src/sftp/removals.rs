//! The order in which deletions reach the server's disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Mutex;

use super::client::Client;
use super::folders;
use super::place::Place;
use crate::StoragePath;
use crate::failure::Failure;

/// Folders that are synced at the same time.
const FOLDERS_AT_ONCE: usize = 16;

/// Folders with deletions that may not be on the disk yet, by top-level folder.
///
/// A power cut of the server may bring a deleted file back. It must not bring back an index whose packs stay gone, so what
/// was deleted in one top-level folder is synced before a deletion in another begins, where the server can sync.
#[derive(Debug, Default)]
pub(super) struct Removals {
    unsynced: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl Removals {
    /// To be called before the file is removed.
    pub(super) async fn before(
        &self,
        client: &Arc<Client>,
        path: &StoragePath,
    ) -> Result<(), Failure> {
        // Held while syncing: a second deletion must not overtake the sync that it waits for.
        let mut unsynced = self.unsynced.lock().await;
        let top = path.top_folder();
        while let Some(other) = unsynced.keys().find(|key| key.as_str() != top).cloned() {
            let names = unsynced.get(&other).cloned().unwrap_or_default();
            let synced = stream::iter(names)
                .map(|name| async move { folders::sync(client, &name).await })
                .buffer_unordered(FOLDERS_AT_ONCE);
            synced.try_collect::<()>().await?;
            unsynced.remove(&other);
        }
        Ok(())
    }

    /// To be called after the file was removed.
    pub(super) async fn after(&self, place: &Place, path: &StoragePath) {
        let mut unsynced = self.unsynced.lock().await;
        let folders = unsynced.entry(path.top_folder().to_owned()).or_default();
        folders.insert(place.folder_of(path));
    }
}
