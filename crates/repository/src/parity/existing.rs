//! What lies in the folder of parity.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use strongroom_storage::Storage;

use crate::format::Id;
use crate::format::parity::{self, DESCRIPTOR_BYTES_MAX, ParityGroup, ParityName};
use crate::own_files::{OwnFile, OwnFolder};
use crate::{ErrorKind, Result};

/// A group whose descriptor can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredGroup {
    pub id: Id,
    pub group: ParityGroup,
    /// For each parity file whether it is there in its full length.
    pub files_present: Vec<bool>,
}

/// A descriptor that cannot be read: its group protects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableGroup {
    /// Its name.
    pub id: Id,
    /// What is wrong.
    pub reason: String,
    /// Its bytes are not those that were written. Otherwise it may be of a later version, and is left alone.
    pub is_damaged: bool,
}

/// The folder of parity.
#[derive(Debug, Clone, Default)]
pub(super) struct Existing {
    pub groups: Vec<StoredGroup>,
    pub unreadable: Vec<UnreadableGroup>,
    /// Parity files with their sizes.
    pub files: HashMap<Id, u64>,
}

impl StoredGroup {
    /// Parts that are there, as far as the listing tells.
    pub fn parts_present(&self) -> u64 {
        let files = self.group.files.iter().zip(&self.files_present);
        files
            .filter(|(_, present)| **present)
            .map(|(file, _)| file.parts)
            .sum()
    }
}

impl Existing {
    /// Lists the folder and reads every descriptor.
    pub async fn load(storage: &dyn Storage) -> Result<Self> {
        let listed = OwnFolder::Parity.list(storage).await?;
        Self::of_listing(storage, &listed).await
    }

    /// Whether a repository has parity at all; one listing.
    pub fn has_groups(listed: &[OwnFile]) -> bool {
        let names = listed
            .iter()
            .filter_map(|file| ParityName::parse(&file.name));
        names
            .into_iter()
            .any(|name| matches!(name, ParityName::Group(_)))
    }

    /// Reads every descriptor of a listing.
    pub async fn of_listing(storage: &dyn Storage, listed: &[OwnFile]) -> Result<Self> {
        let mut existing = Self::default();
        let mut descriptors = Vec::new();
        for file in listed {
            match ParityName::parse(&file.name) {
                Some(ParityName::Group(id)) => descriptors.push((id, file.size_bytes)),
                Some(ParityName::Parity(id)) => {
                    existing.files.insert(id, file.size_bytes);
                }
                None => {}
            }
        }
        let at_once = storage.capabilities().connections.max(1);
        let mut read = stream::iter(descriptors)
            .map(|(id, size_bytes)| read_descriptor(storage, id, size_bytes))
            .buffer_unordered(at_once);
        while let Some(one) = read.try_next().await? {
            match one {
                Some(Ok((id, group))) => {
                    let present = group.files.iter();
                    let present = present.map(|file| {
                        existing.files.get(&file.id) == Some(&group.file_bytes(file.parts))
                    });
                    existing.groups.push(StoredGroup {
                        id,
                        files_present: present.collect(),
                        group,
                    });
                }
                Some(Err(unreadable)) => existing.unreadable.push(unreadable),
                None => {}
            }
        }
        drop(read);
        existing.groups.sort_unstable_by_key(|stored| stored.id);
        existing.unreadable.sort_unstable_by_key(|group| group.id);
        Ok(existing)
    }

    /// Parity files that no descriptor names: what a run that was cut off has left. None as long as there is a descriptor
    /// that may name them and cannot be read.
    pub fn unreferenced(&self) -> Vec<Id> {
        if self.unreadable.iter().any(|group| !group.is_damaged) {
            return Vec::new();
        }
        let groups = self.groups.iter();
        let named: HashSet<Id> = groups
            .flat_map(|stored| stored.group.files.iter().map(|file| file.id))
            .collect();
        let files = self.files.keys();
        files.filter(|id| !named.contains(id)).copied().collect()
    }

    /// The percentage that groups were made with; the largest, where somebody was interrupted while changing it.
    pub fn percent(&self) -> Option<u8> {
        self.groups.iter().map(|stored| stored.group.percent).max()
    }
}

type Descriptor = std::result::Result<(Id, ParityGroup), UnreadableGroup>;

/// `None` for one that somebody has removed since the listing.
async fn read_descriptor(
    storage: &dyn Storage,
    id: Id,
    size_bytes: u64,
) -> Result<Option<Descriptor>> {
    let unreadable = |reason: String, is_damaged| {
        Ok(Some(Err(UnreadableGroup {
            id,
            reason,
            is_damaged,
        })))
    };
    if size_bytes > DESCRIPTOR_BYTES_MAX {
        return unreadable(format!("{size_bytes} bytes are too many"), false);
    }
    let name = parity::group_name(&id);
    let stored = match OwnFolder::Parity.read(storage, &name).await {
        Ok(stored) => stored,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if Id::of(&stored) != id {
        return unreadable("the content does not match the name".to_owned(), true);
    }
    match ParityGroup::decode(&stored) {
        Ok(group) => Ok(Some(Ok((id, group)))),
        Err(error) => unreadable(error.to_string(), false),
    }
}
