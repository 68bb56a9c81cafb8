//! The snapshots of a repository.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use strongroom_storage::WriteMode;

use super::Repository;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{Id, Snapshot};
use crate::lock::Lock;
use crate::progress::{Amount, Phase, Progress};
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result};

/// A snapshot with its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Its identifier.
    pub id: Id,
    /// What it says.
    pub snapshot: Snapshot,
}

impl Repository {
    /// One snapshot.
    pub async fn load_snapshot(&self, id: &Id) -> Result<Snapshot> {
        let plain = self.load_file(FileKind::Snapshot, id).await?;
        Snapshot::decode(&plain)
            .map_err(Error::from)
            .context(|| format!("snapshot {}", id.short()))
    }

    /// Makes a snapshot appear: the one place where that happens. All that it needs is stored and indexed by now. It is
    /// signed where this repository has a [`crate::signature::Signer`].
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], with nothing published; [`ErrorKind::Damaged`] if the storage has not kept what was
    /// written; the storage's.
    pub async fn publish_snapshot(&self, snapshot: &Snapshot, lock: &Lock) -> Result<Id> {
        let stored = self.encode_beside(snapshot.encode()).await?;
        self.publish(Bytes::from(stored), WriteMode::New, lock)
            .await
    }

    /// The same for one that was there before: the same bytes under the same name. A damaged file under that name is
    /// replaced.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], with nothing published, or the storage's.
    pub async fn publish_stored_snapshot(&self, stored: Bytes, lock: &Lock) -> Result<Id> {
        self.publish(stored, WriteMode::Replace, lock).await
    }

    async fn publish(&self, stored: Bytes, mode: WriteMode, lock: &Lock) -> Result<Id> {
        lock.verify().await?;
        match self.signer() {
            None => self.store_snapshot(stored, mode).await,
            Some(signer) => self.publish_signed(signer, stored, mode, lock).await,
        }
    }

    pub(crate) async fn store_snapshot(&self, stored: Bytes, mode: WriteMode) -> Result<Id> {
        let (id, kind) = (Id::of(&stored), FileKind::Snapshot);
        self.storage()
            .write(&kind.path(&id)?, stored, mode, kind.class())
            .await
            .context(|| format!("save snapshot {}", id.short()))?;
        self.confirm_stored(&id).await?;
        Ok(id)
    }

    /// Makes snapshots vanish: the one place where that happens. Their data stays until a prune. One that is gone already
    /// is no error. Their removal is signed where this repository has a [`crate::signature::Signer`].
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], with none removed; the storage's, with some removed.
    pub async fn remove_snapshots(&self, ids: &[Id], lock: &Lock) -> Result<()> {
        lock.verify().await?;
        match self.signer() {
            None => self.delete_snapshots(ids, lock).await,
            Some(signer) => self.remove_signed(signer, ids, lock).await,
        }
    }

    pub(crate) async fn delete_snapshots(&self, ids: &[Id], lock: &Lock) -> Result<()> {
        let at_once = self.storage().capabilities().connections.max(1);
        stream::iter(ids)
            .map(|id| async move {
                lock.verify_if_slept().await?;
                self.delete_file(FileKind::Snapshot, id).await
            })
            .buffer_unordered(at_once)
            .try_collect()
            .await
    }

    /// Puts a changed snapshot in place of an old one. Nobody can replace the old one's file: the new one is published,
    /// looked for in the storage, and only then the old one removed. An interruption leaves both, never none.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], the storage's, [`ErrorKind::Damaged`] if the storage has not kept what was written. The
    /// old one is there then.
    pub async fn replace_snapshot(&self, old: &Id, new: &Snapshot, lock: &Lock) -> Result<Id> {
        let id = self.publish_changed_snapshot(old, new, lock).await?;
        let doing = || {
            format!(
                "the changed snapshot {} is stored; remove the old one",
                id.short()
            )
        };
        self.remove_snapshots(&[*old], lock).await.context(doing)?;
        Ok(id)
    }

    /// Publishes what was made of an old snapshot. Where this repository has a signer, the new one is signed if the old one
    /// is: a change of tags is no reason to vouch for what is in it. When this returns the old one may go.
    ///
    /// # Errors
    /// Those of [`Self::publish_snapshot`], and [`ErrorKind::Damaged`] if the storage has not kept the new one;
    /// [`ErrorKind::UnsupportedVersion`] if a newer program wrote something into the old one that the new one would not have.
    pub async fn publish_changed_snapshot(
        &self,
        old: &Id,
        new: &Snapshot,
        lock: &Lock,
    ) -> Result<Id> {
        self.refuse_to_lose_fields(old).await?;
        match self.trusted_snapshots(&[*old]).await?.contains(old) {
            true => self.publish_snapshot(new, lock).await,
            false => self.signed_by(None).publish_snapshot(new, lock).await,
        }
    }

    /// A repair may replace what cannot be read; there is nothing of it to lose then.
    async fn refuse_to_lose_fields(&self, old: &Id) -> Result<()> {
        let unknown = match self.load_file(FileKind::Snapshot, old).await {
            Ok(json) => Snapshot::unknown_fields(&json).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Damaged => Vec::new(),
            Err(error) => return Err(error),
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let message = format!(
            "a changed copy of snapshot {} would lose what a newer program wrote there: {}",
            old.short(),
            unknown.join(", ")
        );
        Err(Error::new(ErrorKind::UnsupportedVersion, message))
    }

    /// Fails unless the storage has the whole snapshot. A cache may answer a read, but not how long a file is.
    pub(crate) async fn confirm_stored(&self, id: &Id) -> Result<()> {
        let doing = || format!("look for snapshot {}, which was just stored", id.short());
        let path = FileKind::Snapshot.path(id)?;
        let stored = self.storage().stat(&path).await.context(doing)?;
        let content = self.load_raw(FileKind::Snapshot, id).await.context(doing)?;
        if stored.size_bytes == content.len() as u64 && Id::of(&content) == *id {
            Ok(())
        } else {
            Err(Error::damaged("it is not what was written")).context(doing)
        }
    }

    /// All snapshots, oldest first.
    ///
    /// # Errors
    /// The first snapshot that cannot be read; [`Repository::load_snapshots_tolerant`] goes on instead.
    pub async fn load_snapshots(&self, progress: &dyn Progress) -> Result<Vec<SnapshotFile>> {
        let (snapshots, failures) = self.load_snapshots_tolerant(progress).await?;
        match failures.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(snapshots),
        }
    }

    /// All snapshots that can be read, oldest first, and those that cannot.
    pub async fn load_snapshots_tolerant(
        &self,
        progress: &dyn Progress,
    ) -> Result<(Vec<SnapshotFile>, Vec<(Id, Error)>)> {
        progress.begin(Phase::LoadSnapshots);
        let files = self.list(FileKind::Snapshot).await?;
        progress.add_total(Amount {
            items: files.len() as u64,
            ..Amount::default()
        });
        progress.total_known();
        let at_once = self
            .storage()
            .capabilities()
            .connections
            .max(self.workers().threads());
        let load = |id: Id| async move {
            match self.load_snapshot(&id).await {
                // Forgotten since the listing.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) if is_damage(&error) => {
                    Ok(Some((id, Err(Error::damaged(error.to_string())))))
                }
                Err(error) => Err(error),
                Ok(snapshot) => Ok(Some((id, Ok(snapshot)))),
            }
        };
        let mut loaded = stream::iter(files)
            .map(|file| load(file.id))
            .buffer_unordered(at_once);
        let (mut snapshots, mut failures) = (Vec::new(), Vec::new());
        while let Some(one) = loaded.try_next().await? {
            match one {
                Some((id, Ok(snapshot))) => snapshots.push(SnapshotFile { id, snapshot }),
                Some((id, Err(error))) => failures.push((id, error)),
                None => {}
            }
            progress.advance(Amount {
                items: 1,
                ..Amount::default()
            });
        }
        snapshots.sort_by_key(|file| (file.snapshot.time, file.id));
        Ok((snapshots, failures))
    }
}
