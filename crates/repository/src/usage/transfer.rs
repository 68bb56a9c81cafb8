//! Moving blobs out of packs into a writer, pack by pack.

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::{Marks, PackContents, ReadBlob, read_blobs};
use crate::format::BlobKind;
use crate::index::{Index, IndexedBlob};
use crate::pack::{BlobWriter, Uploaded};
use crate::progress::{Amount, Progress};
use crate::repository::Repository;
use crate::{Error, Result};

/// Packs that are read at the same time; of each at most 16 MiB are in memory, stored and plain.
const PACKS_MAX: usize = 8;

/// Which blobs are read, and where.
pub(crate) struct Transfer<'a> {
    /// The repository that is read.
    pub source: &'a Repository,
    /// Its index.
    pub index: &'a Index,
    /// Records of the index: one of each blob.
    pub wanted: &'a Marks,
}

impl Transfer<'_> {
    /// Reads every wanted blob, checks it, and calls `store` with it; then finishes the writer, whose token is `stop`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] for a blob of which no copy is whole; [`crate::ErrorKind::Cancelled`]; the storages'; those of
    /// `store`. What was stored until then is indexed.
    pub async fn run<F>(
        &self,
        writer: &BlobWriter,
        store: impl Fn(ReadBlob) -> F,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<Uploaded>
    where
        F: Future<Output = Result<()>>,
    {
        let moved = self.move_packs(&store, progress, stop).await;
        let ((), uploaded) = writer.finish_after(moved).await?;
        Ok(uploaded)
    }

    async fn move_packs<F>(
        &self,
        store: &impl Fn(ReadBlob) -> F,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let contents = PackContents::new(self.index, |kind, position, _| {
            self.wanted.of(kind).get(position)
        })?;
        let packs: Vec<usize> = (0..self.index.packs().len())
            .filter(|pack| contents.count(*pack) > 0)
            .collect();
        progress.add_total(Amount {
            items: packs.len() as u64,
            bytes: self.bytes(),
            ..Amount::default()
        });
        progress.total_known();
        let connections = self.source.storage().capabilities().connections;
        let mut running = stream::iter(packs)
            .map(|pack| self.move_pack(&contents, pack, store))
            .buffer_unordered(connections.clamp(1, PACKS_MAX));
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

    /// All that will be read, but for gaps.
    fn bytes(&self) -> u64 {
        let wanted = |kind: BlobKind| {
            let records = self.index.blobs(kind).enumerate();
            records.filter(move |(position, _)| self.wanted.of(kind).get(*position))
        };
        let lengths = [BlobKind::Data, BlobKind::Tree]
            .into_iter()
            .flat_map(wanted);
        lengths.fold(0, |sum, (_, blob)| add_length(sum, &blob))
    }

    /// Returns the bytes of the blobs, as they were stored.
    async fn move_pack<F>(
        &self,
        contents: &PackContents,
        pack: usize,
        store: &impl Fn(ReadBlob) -> F,
    ) -> Result<u64>
    where
        F: Future<Output = Result<()>>,
    {
        let blobs = contents.blobs(self.index, pack);
        read_blobs(self.source, self.index, &blobs, |read| async move {
            for blob in read {
                store(blob).await?;
            }
            Ok(())
        })
        .await?;
        Ok(blobs.iter().fold(0, add_length))
    }
}

fn add_length(sum: u64, blob: &IndexedBlob) -> u64 {
    sum.saturating_add(u64::from(blob.location.length))
}
