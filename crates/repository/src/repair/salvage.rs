//! Writing blobs that are whole in damaged packs to new ones.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::examine::{location, read_blob};
use crate::format::Id;
use crate::format::pack_header::PackedBlob;
use crate::index::{Index, IndexedBlob};
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::Storer;
use crate::{Error, Result};

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub blobs: u64,
    pub packs: Vec<Id>,
    pub indexes: Vec<Id>,
}

/// Copies these blobs of these packs into new packs and indexes them. Each is checked again on the way.
///
/// # Errors
/// [`crate::ErrorKind::Damaged`] for one that is not whole any more.
pub(super) async fn salvage(
    repository: &Repository,
    packs: &[(Id, Vec<PackedBlob>)],
    lock: &Lock,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Salvaged> {
    let count: usize = packs.iter().map(|(_, blobs)| blobs.len()).sum();
    if count == 0 {
        return Ok(Salvaged::default());
    }
    let stop = cancel.child_token();
    // The writer knows of no blob: that the index names these is of no use any more.
    let writer = BlobWriter::under(
        lock,
        repository,
        Arc::<Index>::default(),
        WriterOptions::default(),
        stop.clone(),
    );
    let copied = copy(repository, packs, &writer, progress, &stop).await;
    let ((), uploaded) = writer.finish_after(copied).await?;
    let totals = writer.totals();
    Ok(Salvaged {
        blobs: totals.data_blobs.saturating_add(totals.tree_blobs),
        packs: uploaded.packs,
        indexes: uploaded.indexes,
    })
}

async fn copy(
    repository: &Repository,
    packs: &[(Id, Vec<PackedBlob>)],
    writer: &BlobWriter,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<()> {
    progress.begin(Phase::Repack);
    progress.add_total(Amount {
        items: packs.len() as u64,
        ..Amount::default()
    });
    progress.total_known();
    let storer = Storer::new(repository, writer);
    for (pack, blobs) in packs {
        for blob in blobs {
            if stop.is_cancelled() {
                return Err(Error::cancelled());
            }
            let sealed = read_blob(repository, *pack, blob).await?;
            let (kind, id) = (blob.kind, blob.id);
            let location = location(*pack, blob);
            let blob = IndexedBlob { kind, id, location };
            storer.store_sealed(&blob, &sealed).await?;
        }
        progress.advance(Amount {
            items: 1,
            ..Amount::default()
        });
    }
    Ok(())
}
