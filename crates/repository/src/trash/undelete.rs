//! Bringing snapshots back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{Missing, TrashEntry, find_missing};
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::{Error, Result};

/// A snapshot that is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelete {
    /// The snapshot.
    pub entry: TrashEntry,
    /// It is among the snapshots already; only its place in the trash is given up.
    pub is_back: bool,
    /// What it lacks.
    pub missing: Missing,
}

/// The snapshots that come back, and what some of them lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndeletePlan {
    /// In the order in which they were given.
    pub entries: Vec<Undelete>,
    /// Those that lack something come back too.
    pub incomplete_too: bool,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndeleteReport {
    /// Snapshots that are back under their names.
    pub restored: Vec<Id>,
    /// Snapshots that lack something and stay in the trash.
    pub left: Vec<Id>,
}

/// Finds out which snapshots in the trash are whole. Changes nothing.
///
/// The caller holds [`Access::Append`](crate::lock::Access::Append) where the plan is to be carried out: no prune runs
/// between the look and the snapshot's return.
///
/// # Errors
/// The storage's, [`ErrorKind::Cancelled`].
pub async fn plan_undelete(
    repository: &Repository,
    entries: Vec<TrashEntry>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<UndeletePlan> {
    let there = find_back(repository, &entries).await?;
    let index = Arc::new(repository.load_index(progress).await?);
    // Whoever pruned without knowing of the trash may have left the index as it was.
    let index = repository.present_index(&index).await?.index;
    let roots: Vec<Id> = entries.iter().map(|entry| entry.snapshot.tree).collect();
    let missing = find_missing(repository, &index, &roots, progress, cancel).await?;
    let entry = |(entry, missing): (TrashEntry, Missing)| Undelete {
        is_back: there.contains(&entry.record.snapshot),
        entry,
        missing,
    };
    Ok(UndeletePlan {
        entries: entries.into_iter().zip(missing).map(entry).collect(),
        incomplete_too: false,
    })
}

/// Which of them are among the snapshots and can be read there.
async fn find_back(repository: &Repository, entries: &[TrashEntry]) -> Result<HashSet<Id>> {
    let sizes = listed(repository).await?;
    let mut back = HashSet::new();
    for TrashEntry { record, .. } in entries {
        let is_there = sizes.get(&record.snapshot) == Some(&(record.stored.len() as u64));
        if is_there && repository.load_snapshot(&record.snapshot).await.is_ok() {
            back.insert(record.snapshot);
        }
    }
    Ok(back)
}

/// The snapshots with their sizes, from the storage itself: a cache may answer a read, but no listing.
async fn listed(repository: &Repository) -> Result<HashMap<Id, u64>> {
    let files = repository.list(FileKind::Snapshot).await?;
    Ok(files
        .into_iter()
        .map(|file| (file.id, file.size_bytes))
        .collect())
}

impl UndeletePlan {
    /// Brings back what the plan says, each with its own name and content, and takes it out of the trash when it is there.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], or the storage's. What came back before stays.
    pub async fn execute(
        &self,
        repository: &Repository,
        lock: &Lock,
        cancel: &CancellationToken,
    ) -> Result<UndeleteReport> {
        let mut report = UndeleteReport::default();
        for undelete in &self.entries {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let id = undelete.entry.record.snapshot;
            if undelete.missing.count > 0 && !self.incomplete_too && !undelete.is_back {
                report.left.push(id);
                continue;
            }
            undelete.execute(repository, lock).await?;
            report.restored.push(id);
        }
        Ok(report)
    }
}

impl Undelete {
    async fn execute(&self, repository: &Repository, lock: &Lock) -> Result<()> {
        let record = &self.entry.record;
        let id = record.snapshot;
        let doing = || format!("bring snapshot {} back", id.short());
        let is_there = if self.is_back {
            repository.confirm_stored(&id).await
        } else {
            let stored = Bytes::from(record.stored.clone());
            let publishing = repository.publish_stored_snapshot(stored, lock);
            publishing.await.map(drop)
        };
        is_there.context(doing)?;
        repository
            .delete_own(OwnFolder::Trash, &id.to_hex())
            .await
            .context(|| format!("snapshot {} is back; take it out of the trash", id.short()))
    }
}
