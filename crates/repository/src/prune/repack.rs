//! Moving blobs out of packs that are to go.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::plan::PrunePlan;
use crate::format::{BlobKind, RepositoryVersion};
use crate::index::{Index, IndexedBlob};
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::{PackContents, ReadBlob, Storer, read_blobs};
use crate::{Error, ErrorKind, Result};

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
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Repacked> {
    if plan.moved.count() == 0 {
        return Ok(Repacked::default());
    }
    let stop = cancel.child_token();
    // The writer knows of no blob: those that are moved are in the repository, and are stored all the same.
    let writer = BlobWriter::new(
        repository,
        Arc::<Index>::default(),
        WriterOptions::default(),
        stop.clone(),
    );
    let moved = move_all(repository, plan, &writer, progress, &stop).await;
    if moved.is_err() {
        stop.cancel();
    }
    let finished = writer.finish().await;
    // Where one failed the other was cancelled by it.
    match (moved, finished) {
        (Ok(()), Ok(uploaded)) => Ok(Repacked {
            packs: uploaded.packs,
            indexes: uploaded.indexes,
        }),
        (Err(error), _) if error.kind() != ErrorKind::Cancelled => Err(error),
        (_, Err(error)) | (Err(error), _) => Err(error),
    }
}

async fn move_all(
    repository: &Repository,
    plan: &PrunePlan,
    writer: &BlobWriter,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<()> {
    progress.begin(Phase::Repack);
    let contents = PackContents::new(&plan.index, |kind, position, _| {
        plan.moved.of(kind).get(position)
    })?;
    let packs: Vec<usize> = (0..plan.index.packs().len())
        .filter(|pack| contents.count(*pack) > 0)
        .collect();
    progress.add_total(Amount {
        items: packs.len() as u64,
        ..Amount::default()
    });
    progress.total_known();
    let storer = Storer::new(repository, writer);
    let at_once = repository.storage().capabilities().connections.clamp(1, 8);
    let mut running = stream::iter(packs)
        .map(|pack| move_pack(repository, plan, contents.blobs(&plan.index, pack), &storer))
        .buffer_unordered(at_once);
    while let Some(bytes) = running.try_next().await? {
        if stop.is_cancelled() {
            return Err(Error::cancelled());
        }
        progress.advance(Amount {
            items: 1,
            bytes,
            ..Amount::default()
        });
    }
    Ok(())
}

/// Returns the bytes of the blobs that were moved.
async fn move_pack(
    repository: &Repository,
    plan: &PrunePlan,
    blobs: Vec<IndexedBlob>,
    storer: &Storer,
) -> Result<u64> {
    let compresses = repository.config().version >= RepositoryVersion::V2;
    let must_compress = move |blob: &IndexedBlob| {
        compresses
            && blob.location.uncompressed_length.is_none()
            && (blob.kind == BlobKind::Tree || plan.compress_data)
    };
    read_blobs(repository, &plan.index, &blobs, |read| async move {
        for ReadBlob {
            blob,
            stored,
            plain,
        } in read
        {
            // What is encrypted already is taken as it is: it is checked, and the key is the same.
            if must_compress(&blob) {
                storer.store_compressed(&blob, plain).await?;
            } else {
                storer.store_sealed(&blob, &stored).await?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(blobs
        .iter()
        .map(|blob| u64::from(blob.location.length))
        .sum())
}
