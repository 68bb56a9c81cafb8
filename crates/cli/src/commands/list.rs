//! `strongroom list`: identifiers of what is in the repository.

use clap::{Args, ValueEnum};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::{FileKind, Repository};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::meter::Activity;

/// List the identifiers of objects in the repository
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to list
    pub kind: Kind,
}

/// Kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Blobs,
    Packs,
    Index,
    Snapshots,
    Keys,
    Locks,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let repository = &repository;
    // The lock of this process would be listed among the others.
    if arguments.kind == Kind::Locks {
        files(FileKind::Lock, repository, context).await?;
        return Ok(ExitCode::Success);
    }
    let listing = async |_: &Lock| match arguments.kind {
        Kind::Blobs => blobs(repository, context).await,
        Kind::Packs => files(FileKind::Pack, repository, context).await,
        Kind::Index => files(FileKind::Index, repository, context).await,
        Kind::Snapshots => files(FileKind::Snapshot, repository, context).await,
        Kind::Keys => files(FileKind::Key, repository, context).await,
        Kind::Locks => Ok(()),
    };
    context.locked(repository, Access::Read, listing).await?;
    Ok(ExitCode::Success)
}

async fn files(kind: FileKind, repository: &Repository, context: &Context) -> Result<()> {
    let mut ids: Vec<Id> = repository
        .list(kind)
        .await?
        .iter()
        .map(|file| file.id)
        .collect();
    ids.sort_unstable();
    ids.iter().try_for_each(|id| context.output.result(id))
}

async fn blobs(repository: &Repository, context: &Context) -> Result<()> {
    let index = {
        let meter = context.meter(Activity::Other);
        repository.load_index(meter.progress()).await?
    };
    for kind in [BlobKind::Data, BlobKind::Tree] {
        // A blob that is stored twice is listed once.
        let mut last = None;
        for blob in index.blobs(kind) {
            if last.replace(blob.id) != Some(blob.id) {
                context.output.result(format_args!("{kind} {}", blob.id))?;
            }
        }
    }
    Ok(())
}
