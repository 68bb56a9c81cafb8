//! A change of the index: some packs are described anew or forgotten, and the index files that said otherwise go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::examine::location;
use crate::file_kind::{FileEntry, FileKind};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexedBlob};
use crate::lock::Lock;
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::usage::{Bitmap, IndexFiles, PackContents, is_damage, pack_shapes};
use crate::{Error, ErrorKind, Result};

const KINDS: [BlobKind; 2] = [BlobKind::Data, BlobKind::Tree];

/// What becomes of the index.
pub(super) struct IndexChange {
    /// As all readable index files together have it.
    pub index: Arc<Index>,
    /// The packs that the storage had when the change was planned, with their sizes in bytes.
    pub stored: HashMap<Id, u64>,
    /// What is said of packs from now on; nothing: they are forgotten. All others stay as they are.
    pub described: HashMap<Id, Vec<PackedBlob>>,
    /// Index files that cannot be read.
    pub unreadable: Vec<Id>,
}

/// What was done to the index.
#[derive(Debug, Clone, Default)]
pub(super) struct Changed {
    pub written: Vec<Id>,
    pub removed: u64,
    pub quarantined: Vec<String>,
    /// Damaged index files that could not be saved and so were not removed.
    pub left: Vec<Id>,
}

impl IndexChange {
    pub fn is_nothing(&self) -> bool {
        self.described.is_empty() && self.unreadable.is_empty()
    }

    /// Readable index files that say something of these packs which is not so any more, and whether they say something
    /// that will be said no more.
    fn going(&self) -> Vec<(Id, bool)> {
        let packs = self.index.packs();
        let is_changed: Vec<bool> = packs
            .iter()
            .map(|id| self.described.contains_key(id))
            .collect();
        let drops = self.packs_that_drop();
        let any = |numbers: &[u32], of: &[bool]| {
            numbers
                .iter()
                .any(|number| of.get(*number as usize) == Some(&true))
        };
        let files = self.index.files().iter();
        files
            .filter(|file| any(&file.packs, &is_changed))
            .map(|file| (file.id, any(&file.packs, &drops)))
            .collect()
    }

    /// Blobs that the index finds now and will not find any more in any pack.
    pub fn blobs_lost(&self) -> u64 {
        let described: HashSet<(BlobKind, Id)> = self
            .described
            .values()
            .flatten()
            .map(|blob| (blob.kind, blob.id))
            .collect();
        let mut lost: HashSet<(BlobKind, Id)> = HashSet::new();
        for kind in KINDS {
            for blob in self.index.blobs(kind) {
                let is_changed = self.described.contains_key(&blob.location.pack);
                let is_elsewhere = || {
                    let mut places = self.index.locate_all(kind, &blob.id);
                    places.any(|place| !self.described.contains_key(&place.pack))
                };
                if is_changed && !described.contains(&(kind, blob.id)) && !is_elsewhere() {
                    lost.insert((kind, blob.id));
                }
            }
        }
        lost.len() as u64
    }

    /// For every pack of the index whether a blob that the index finds in it will not be found there any more.
    fn packs_that_drop(&self) -> Vec<bool> {
        let packs = self.index.packs();
        let mut drops = vec![false; packs.len()];
        for kind in KINDS {
            for (number, blob) in self.index.pack_numbers(kind).zip(self.index.blobs(kind)) {
                let described = self.described.get(&blob.location.pack);
                let is_dropped = described.is_some_and(|blobs| !blobs.contains(&blob.packed()));
                if is_dropped && let Some(pack) = drops.get_mut(number as usize) {
                    *pack = true;
                }
            }
        }
        drops
    }

    /// Stores index files that describe what [`Self::described`] says, and all other packs of the files that go: by all
    /// that is known of them, however many index files had a part of it (story T-08).
    pub async fn write(
        &self,
        repository: &Repository,
        lock: &Lock,
        progress: &dyn Progress,
    ) -> Result<Vec<Id>> {
        progress.begin(Phase::WriteIndex);
        let going: HashSet<Id> = self.going().into_iter().map(|(id, _)| id).collect();
        let kept = self.kept_packs(&going);
        let contents = PackContents::new(&self.index, |_, _, pack| kept.get(pack as usize))?;
        let mut files = IndexFiles::new(repository, lock, progress);
        for (number, id) in self.index.packs().iter().enumerate() {
            if kept.get(number) {
                let blobs = contents.blobs(&self.index, number);
                let blobs: Vec<PackedBlob> = blobs.iter().map(IndexedBlob::packed).collect();
                files.add(id, &blobs).await?;
            }
        }
        let mut described: Vec<_> = self.described.iter().collect();
        described.sort_unstable_by_key(|(id, _)| **id);
        for (id, blobs) in described {
            files.add(id, blobs).await?;
        }
        files.finish().await
    }

    /// Packs that files which go describe and of which nothing changes.
    fn kept_packs(&self, going: &HashSet<Id>) -> Bitmap {
        let packs = self.index.packs();
        let kept = Bitmap::new(packs.len());
        let files = self.index.files().iter();
        for pack in files
            .filter(|file| going.contains(&file.id))
            .flat_map(|file| &file.packs)
        {
            let number = *pack as usize;
            if packs
                .get(number)
                .is_some_and(|id| !self.described.contains_key(id))
            {
                kept.set(number);
            }
        }
        kept
    }

    /// Reads the new index files back and fails unless they say what they should, and the packs that they name are there
    /// as they were when the change was planned.
    ///
    /// `salvaged` are index files that describe new packs.
    pub async fn confirm(
        &self,
        repository: &Repository,
        fresh: &[Id],
        salvaged: &[Id],
    ) -> Result<()> {
        let index = repository.read_back(fresh).await?;
        let has = |kind, id: &Id, place| index.locate_all(kind, id).any(|found| found == place);
        for (pack, blobs) in &self.described {
            for blob in blobs {
                if !has(blob.kind, &blob.id, location(*pack, blob)) {
                    return Err(lost(&format!("{} blob {}", blob.kind, blob.id)));
                }
            }
        }
        let going: HashSet<Id> = self.going().into_iter().map(|(id, _)| id).collect();
        let kept = self.kept_packs(&going);
        for kind in KINDS {
            for (pack, blob) in self.index.pack_numbers(kind).zip(self.index.blobs(kind)) {
                if kept.get(pack as usize) && !has(kind, &blob.id, blob.location) {
                    return Err(lost(&format!("{kind} blob {}", blob.id)));
                }
            }
        }
        let listed = sizes(repository.list(FileKind::Pack).await?);
        for pack in index.packs() {
            // A pack that was missing and that no change forgets is none of this change's matters.
            if self.stored.get(pack) != listed.get(pack) {
                return Err(lost(&format!("pack {pack}")));
            }
        }
        let new = repository.read_back(salvaged).await?;
        for (pack, shape) in new.packs().iter().zip(pack_shapes(&new)) {
            let is_there = listed.get(pack) == Some(&shape.size_bytes());
            if !is_there || !is_as_written(repository, *pack).await? {
                return Err(lost(&format!("pack {pack}")));
            }
        }
        Ok(())
    }

    /// Fails unless the lock stands and the index files are those that are known.
    pub async fn refuse_changed(
        &self,
        repository: &Repository,
        lock: &Lock,
        fresh: &[Id],
    ) -> Result<()> {
        lock.verify().await?;
        let files = self.index.files().iter().map(|file| file.id);
        let known: HashSet<Id> = files
            .chain(self.unreadable.iter().copied())
            .chain(fresh.iter().copied())
            .collect();
        let listed = repository.list(FileKind::Index).await?;
        let is_same =
            listed.len() == known.len() && listed.iter().all(|file| known.contains(&file.id));
        match is_same {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Refused,
                "the index has changed since the repair was planned; plan it anew",
            )),
        }
    }

    /// Removes the index files that go. What is damaged, or says what nothing else says, is put into the quarantine before.
    pub async fn remove_old(
        &self,
        repository: &Repository,
        fresh: Vec<Id>,
        now: Timestamp,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Changed> {
        let mut changed = Changed {
            written: fresh,
            ..Changed::default()
        };
        let mut remove = Vec::new();
        for (id, drops) in self.going() {
            // What an index file said of packs that are gone is all that is known of them. Where it cannot be kept it
            // goes all the same: it is no data.
            if drops && repository.has_quarantine() {
                let saved = repository.save_damaged(FileKind::Index, &id, now).await?;
                changed.quarantined.extend(saved);
            }
            remove.push(id);
        }
        for id in &self.unreadable {
            let saved = match repository.has_quarantine() {
                true => repository.save_damaged(FileKind::Index, id, now).await?,
                false => None,
            };
            match saved {
                Some(name) => {
                    changed.quarantined.push(name);
                    remove.push(*id);
                }
                None => changed.left.push(*id),
            }
        }
        progress.begin(Phase::DeleteFiles);
        changed.removed = repository
            .remove_all(FileKind::Index, &remove, lock, progress, cancel)
            .await?;
        Ok(changed)
    }
}

/// Whether a pack has the bytes that its name says: what it replaces is removed on the strength of that.
async fn is_as_written(repository: &Repository, pack: Id) -> Result<bool> {
    match repository.load_raw(FileKind::Pack, &pack).await {
        Ok(content) => {
            let job = move || Id::of(&content) == pack;
            repository.workers().run(job).await
        }
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Files of a listing by their names.
pub(super) fn sizes(files: Vec<FileEntry>) -> HashMap<Id, u64> {
    files
        .into_iter()
        .map(|file| (file.id, file.size_bytes))
        .collect()
}

fn lost(what: &str) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("{what} would not be found any more; nothing was removed"),
    )
}
