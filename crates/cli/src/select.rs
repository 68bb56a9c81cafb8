//! Which snapshots a command means.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;
use strongroom_repository::snapshots::{
    SnapshotFile, SnapshotFilter, SnapshotName, SnapshotReference, newest, resolve_prefix,
};
use strongroom_repository::{FileKind, Repository};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::meter::Activity;

/// A snapshot and the path inside it that was named; `/` for all of it.
pub struct Selected {
    pub snapshot: SnapshotFile,
    pub path: Vec<u8>,
}

/// The snapshot that `latest`, an identifier's beginning, or either with `:PATH`, stands for.
pub async fn one(
    context: &Context,
    repository: &Repository,
    reference: &OsStr,
    filter: &SnapshotFilter,
) -> Result<Selected> {
    let reference = SnapshotReference::parse(reference.as_bytes())?;
    let snapshot = match &reference.name {
        SnapshotName::Latest => latest(context, repository, filter).await?,
        SnapshotName::Prefix(prefix) => by_prefix(repository, prefix).await?,
    };
    Ok(Selected {
        snapshot,
        path: reference.path,
    })
}

/// The newest snapshot that passes the filter.
pub async fn latest(
    context: &Context,
    repository: &Repository,
    filter: &SnapshotFilter,
) -> Result<SnapshotFile> {
    let snapshots = all(context, repository).await?;
    let is_empty = snapshots.is_empty();
    newest(snapshots, filter, Timestamp::now()).ok_or_else(|| match is_empty {
        true => Error::failed(format!("there is no snapshot in {}", repository.location()))
            .hint("`strongroom backup` makes one"),
        false => Error::failed("no snapshot passes the filters")
            .hint("`strongroom snapshots` lists all of them with their hosts, tags and paths"),
    })
}

/// The snapshots that are named, in that order; all that pass the filter where none is named. Oldest first then.
pub async fn many(
    context: &Context,
    repository: &Repository,
    names: &[String],
    filter: &SnapshotFilter,
) -> Result<Vec<SnapshotFile>> {
    if names.is_empty() {
        return Ok(filter.choose(all(context, repository).await?));
    }
    let mut chosen: Vec<SnapshotFile> = Vec::new();
    for name in names {
        let found = one(context, repository, OsStr::new(name), filter).await?;
        if found.path != b"/" {
            return Err(Error::usage(format!(
                "{name:?} names a part of a snapshot; this command takes whole ones"
            )));
        }
        if chosen.iter().all(|known| known.id != found.snapshot.id) {
            chosen.push(found.snapshot);
        }
    }
    Ok(chosen)
}

/// Every snapshot, oldest first.
pub async fn all(context: &Context, repository: &Repository) -> Result<Vec<SnapshotFile>> {
    let meter = context.meter(Activity::Other);
    let files = repository.load_snapshots(meter.progress()).await?;
    let file = |file: strongroom_repository::repository::SnapshotFile| SnapshotFile {
        id: file.id,
        snapshot: file.snapshot,
    };
    Ok(files.into_iter().map(file).collect())
}

async fn by_prefix(repository: &Repository, prefix: &str) -> Result<SnapshotFile> {
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
