//! Choosing among the snapshots that a repository holds.

use jiff::Timestamp;

use super::{SnapshotFilter, SnapshotName, newest, resolve_prefix};
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::progress::Progress;
use crate::repository::{Repository, SnapshotFile};
use crate::{Error, ErrorKind, Result};

/// The snapshots that pass the filter, oldest first, and those that cannot be read and so could not be asked.
///
/// # Errors
/// The storage's.
pub async fn select_all(
    repository: &Repository,
    filter: &SnapshotFilter,
    progress: &dyn Progress,
) -> Result<(Vec<SnapshotFile>, Vec<(Id, Error)>)> {
    let (snapshots, unreadable) = repository.load_snapshots_tolerant(progress).await?;
    Ok((filter.choose(snapshots), unreadable))
}

/// The snapshot of a name. The filter counts for `latest` only.
///
/// `latest` is [`ErrorKind::Damaged`] where a snapshot cannot be read, since that one may be it.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::Ambiguous`], [`ErrorKind::Damaged`], or the storage's.
pub async fn select_one(
    repository: &Repository,
    name: &SnapshotName,
    filter: &SnapshotFilter,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<SnapshotFile> {
    match name {
        SnapshotName::Prefix(prefix) => {
            let id = match prefix.parse() {
                Ok(id) => id,
                Err(_) => {
                    let files = repository.list(FileKind::Snapshot).await?;
                    resolve_prefix(prefix, files.iter().map(|file| file.id))?
                }
            };
            let snapshot = repository.load_snapshot(&id).await?;
            Ok(SnapshotFile { id, snapshot })
        }
        SnapshotName::Latest => {
            let (snapshots, unreadable) = repository.load_snapshots_tolerant(progress).await?;
            let newest = newest(snapshots, filter, now);
            if !unreadable.is_empty() {
                return Err(unknown_latest(&unreadable, newest.as_ref()));
            }
            newest.ok_or_else(|| nothing(filter))
        }
    }
}

/// An older state in place of the one that was asked for would pass for it.
fn unknown_latest(unreadable: &[(Id, Error)], newest: Option<&SnapshotFile>) -> Error {
    let names: Vec<String> = unreadable
        .iter()
        .take(8)
        .map(|(id, _)| id.short())
        .collect();
    let others = newest.map_or_else(String::new, |file| {
        let (id, time) = (file.id.short(), file.snapshot.time);
        format!("; the newest that can is {id} of {time}")
    });
    Error::damaged(format!(
        "which snapshot is the latest is not known: {} cannot be read{others}",
        names.join(", ")
    ))
}

/// The snapshots of several names, each once, in the order of the names. The filter counts for `latest` only.
///
/// # Errors
/// As [`select_one`], for the first name that leads nowhere.
pub async fn select_named(
    repository: &Repository,
    names: &[SnapshotName],
    filter: &SnapshotFilter,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Vec<SnapshotFile>> {
    let mut chosen: Vec<SnapshotFile> = Vec::new();
    for name in names {
        let file = select_one(repository, name, filter, now, progress).await?;
        if !chosen.iter().any(|other| other.id == file.id) {
            chosen.push(file);
        }
    }
    Ok(chosen)
}

fn nothing(filter: &SnapshotFilter) -> Error {
    let message = match filter.is_empty() {
        true => "the repository has no snapshots".to_owned(),
        false => format!("no snapshot passes the filter: {filter}"),
    };
    Error::new(ErrorKind::NotFound, message)
}
