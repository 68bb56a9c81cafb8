//! Moving blobs out of packs that are to go.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::plan::PrunePlan;
use crate::Result;
use crate::format::{BlobKind, RepositoryVersion};
use crate::index::Index;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::usage::{ReadBlob, Storer, Transfer};

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Repacked {
    pub packs: Vec<crate::format::Id>,
    pub indexes: Vec<crate::format::Id>,
}

/// Copies all blobs that the plan moves into new packs and indexes them. Every blob is checked on the way.
///
/// # Errors
/// [`ErrorKind::Damaged`] for a blob of which no copy is whole; [`ErrorKind::Cancelled`]; the storage's. What was
/// stored until then is indexed, and harmless.
pub(super) async fn repack(
    repository: &Repository,
    plan: &PrunePlan,
    lock: &Lock,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Repacked> {
    if plan.moved.count() == 0 {
        return Ok(Repacked::default());
    }
    progress.begin(Phase::Repack);
    let stop = cancel.child_token();
    // The writer knows of no blob: those that are moved are in the repository, and are stored all the same.
    let writer = BlobWriter::under(
        lock,
        repository,
        Arc::<Index>::default(),
        WriterOptions::default(),
        stop.clone(),
    );
    let storer = Storer::new(repository, &writer);
    let transfer = Transfer {
        source: repository,
        index: &plan.index,
        wanted: &plan.moved,
    };
    let store = |read| store(repository, plan, &storer, read);
    let uploaded = transfer.run(&writer, store, progress, &stop).await?;
    Ok(Repacked {
        packs: uploaded.packs,
        indexes: uploaded.indexes,
    })
}

/// What is encrypted already is taken as it is: it is checked, and the key is the same.
async fn store(
    repository: &Repository,
    plan: &PrunePlan,
    storer: &Storer,
    read: ReadBlob,
) -> Result<()> {
    let blob = read.blob;
    let must_compress = repository.config().version >= RepositoryVersion::V2
        && blob.location.uncompressed_length.is_none()
        && (blob.kind == BlobKind::Tree || plan.compress_data);
    if must_compress {
        storer.store_compressed(&blob, read.plain).await
    } else {
        storer.store_sealed(&blob, &read.stored).await
    }
}
