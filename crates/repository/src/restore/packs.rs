//! Which of the needed packs are there: so that what is lost is known before anything is written.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use strongroom_storage::ErrorKind as StorageKind;

use crate::format::{BlobKind, Id};
use crate::index::{Index, Location};
use crate::{Error, FileKind, Repository, Result};

/// Up to so many packs are asked for one by one; for more the storage lists them all.
const ASK_MAX: usize = 64;
/// Packs that are asked for at once.
const AT_ONCE: usize = 8;

/// The sizes of packs that exist.
pub(super) struct Packs {
    sizes: HashMap<Id, u64>,
}

impl Packs {
    /// Asks the storage for the packs.
    pub(super) async fn look(repository: &Repository, wanted: &HashSet<Id>) -> Result<Self> {
        if wanted.len() > ASK_MAX {
            let files = repository.list(FileKind::Pack).await?;
            let sizes = files
                .into_iter()
                .filter(|file| wanted.contains(&file.id))
                .map(|file| (file.id, file.size_bytes))
                .collect();
            return Ok(Self { sizes });
        }
        let found: Vec<Option<(Id, u64)>> = stream::iter(wanted.iter().copied())
            .map(|id| async move {
                match repository.storage().stat(&FileKind::Pack.path(&id)?).await {
                    Ok(file) => Ok(Some((id, file.size_bytes))),
                    Err(error) if error.kind == StorageKind::NotFound => Ok(None),
                    Err(error) => {
                        Err(Error::from(error).context(format!("look at pack {}", id.short())))
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(Self {
            sizes: found.into_iter().flatten().collect(),
        })
    }

    /// The first place of a blob whose pack is there and long enough.
    pub(super) fn place(&self, index: &Index, id: &Id) -> Option<Location> {
        index
            .locate_all(BlobKind::Data, id)
            .find(|location| self.has(location))
    }

    fn has(&self, location: &Location) -> bool {
        let end = u64::from(location.offset) + u64::from(location.length);
        self.sizes
            .get(&location.pack)
            .is_some_and(|&size| end <= size)
    }
}
