//! When snapshots arrived, as the server of a repository wrote it down.
//!
//! A snapshot says itself when it was made, and a machine that is taken over can say anything: snapshots of the future push every true one out
//! of a policy that counts, and durations are measured from the newest (T-16). What the server wrote down, nobody can choose.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::format::{Id, Receipt, Time};
use crate::own_files::OwnFolder;
use crate::repository::{Repository, SnapshotFile};
use crate::{Error, ErrorKind, Result};

/// Which time of a snapshot is its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgeBy {
    /// When a server received it, where one wrote that down; otherwise what it states.
    #[default]
    Receipt,
    /// What it states.
    Stated,
}

/// When snapshots arrived; those without a receipt are not in it.
pub(super) async fn received(
    repository: &Repository,
    snapshots: &[SnapshotFile],
) -> Result<BTreeMap<Id, Time>> {
    let files = repository.list_own(OwnFolder::Receipts).await?;
    let receipts: BTreeSet<Id> = files
        .iter()
        .filter_map(|file| file.name.parse().ok())
        .collect();
    // A snapshot that was tagged or rewritten on the server has none of its own, and the age of the one that it was made of.
    let found = snapshots.iter().filter_map(|file| {
        let names = [Some(file.id), file.snapshot.original];
        let receipt = names
            .into_iter()
            .flatten()
            .find(|id| receipts.contains(id))?;
        Some((file.id, receipt))
    });
    let at_once = repository.storage().capabilities().connections.max(1);
    stream::iter(found)
        .map(|(id, receipt)| async move { Ok((id, read(repository, &receipt).await?)) })
        .buffer_unordered(at_once)
        .try_collect()
        .await
}

/// One that cannot be read is no reason to believe the snapshot.
async fn read(repository: &Repository, id: &Id) -> Result<Time> {
    let stored = repository
        .read_own(OwnFolder::Receipts, &id.to_string())
        .await?;
    let receipt = Receipt::decode(&stored).map_err(|error| {
        let message = format!(
            "the receipt of snapshot {} cannot be read: {error}",
            id.short()
        );
        Error::new(ErrorKind::Damaged, message)
    })?;
    Ok(receipt.received)
}

/// Gives each snapshot the time of its receipt, and returns what it stated.
pub(super) fn put_received(
    snapshots: &mut [SnapshotFile],
    received: &BTreeMap<Id, Time>,
) -> BTreeMap<Id, Time> {
    let mut stated = BTreeMap::new();
    for file in snapshots {
        if let Some(time) = received.get(&file.id) {
            stated.insert(file.id, std::mem::replace(&mut file.snapshot.time, *time));
        }
    }
    stated
}
