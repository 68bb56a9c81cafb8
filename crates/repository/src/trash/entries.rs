//! What is in the trash.

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{Id, Snapshot, TrashRecord};
use crate::own_files::OwnFolder;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result};

/// A snapshot in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashEntry {
    /// What is stored of it.
    pub record: TrashRecord,
    /// The snapshot.
    pub snapshot: Snapshot,
}

impl TrashEntry {
    /// The snapshot as it was, and as it would be again.
    pub fn file(&self) -> SnapshotFile {
        SnapshotFile {
            id: self.record.snapshot,
            snapshot: self.snapshot.clone(),
        }
    }
}

impl Repository {
    /// The snapshots whose names are in the trash. Files there with other names are not ours and are ignored.
    pub async fn list_trash(&self) -> Result<Vec<Id>> {
        let files = self.list_own(OwnFolder::Trash).await?;
        Ok(files
            .iter()
            .filter_map(|file| file.name.parse().ok())
            .collect())
    }

    /// What is in the trash, the oldest snapshot first, and the entries that cannot be read.
    ///
    /// # Errors
    /// The storage's.
    pub async fn load_trash(
        &self,
        progress: &dyn Progress,
    ) -> Result<(Vec<TrashEntry>, Vec<(Id, Error)>)> {
        progress.begin(Phase::LoadSnapshots);
        let names = self.list_trash().await?;
        progress.add_total(one(names.len()));
        progress.total_known();
        let at_once = self.storage().capabilities().connections.max(1);
        let mut loaded = stream::iter(names)
            .map(|id| async move { (id, self.load_trash_entry(&id).await) })
            .buffer_unordered(at_once)
            .map(Ok::<_, Error>);
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        while let Some((id, entry)) = loaded.try_next().await? {
            match entry {
                Ok(entry) => entries.push(entry),
                // Brought back since the listing.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) if is_damage(&error) => unreadable.push((id, error)),
                Err(error) => return Err(error),
            }
            progress.advance(one(1));
        }
        entries.sort_by_key(|entry| (entry.snapshot.time, entry.record.snapshot));
        unreadable.sort_by_key(|(id, _)| *id);
        Ok((entries, unreadable))
    }

    /// One snapshot in the trash.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where it is not there, [`ErrorKind::Damaged`] where it is not what was written.
    pub async fn load_trash_entry(&self, id: &Id) -> Result<TrashEntry> {
        let sealed = self.read_own(OwnFolder::Trash, &id.to_hex()).await?;
        let (id, this) = (*id, self.clone());
        self.workers()
            .run_beside(move || this.decode_trash(&id, &sealed))
            .await?
            .context(|| format!("read snapshot {} in the trash", id.short()))
    }

    fn decode_trash(&self, id: &Id, sealed: &[u8]) -> Result<TrashEntry> {
        let record = TrashRecord::decode(&self.open_own(sealed)?)?;
        if record.snapshot != *id {
            return Err(Error::damaged("the content does not match the name"));
        }
        let plain = self.decode_file(FileKind::Snapshot, id, &record.stored)?;
        let snapshot = Snapshot::decode(&plain)?;
        Ok(TrashEntry { record, snapshot })
    }
}

fn one(items: usize) -> Amount {
    Amount {
        items: items as u64,
        ..Amount::default()
    }
}
