//! Storing finished packs and the index files that name them.

use strongroom_storage::{Class, ErrorKind as StorageKind, WriteMode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::open_pack::FinishedPack;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::index::{BLOBS_SUGGESTED, IndexEncoder};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::lock::Fence;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A stored pack that waits for its index file.
pub(crate) struct IndexedPack {
    pub id: Id,
    pub blobs: Vec<PackedBlob>,
}

/// Memory of packs that are on their way to the storage: this bounds how many are at once where packs are large.
const MEMORY_BYTES: u64 = 48 << 20;

/// The JSON of an index file.
pub(crate) fn encode_index(packs: &[IndexedPack]) -> Vec<u8> {
    let mut encoder = IndexEncoder::new();
    for pack in packs {
        encoder.pack(&pack.id, &pack.blobs);
    }
    encoder.finish()
}

/// What was stored.
#[derive(Debug, Clone, Default)]
pub struct Uploaded {
    /// Packs.
    pub packs: Vec<Id>,
    /// Index files.
    pub indexes: Vec<Id>,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Stores packs as they come, several at once, and an index file for them now and then and at the end.
///
/// After an error nothing more is stored, but the packs that are stored are indexed, so that the next run uses them.
pub(super) async fn run(
    repository: Repository,
    fence: Fence,
    mut packs: mpsc::Receiver<FinishedPack>,
    dry_run: bool,
    cancel: CancellationToken,
) -> Result<Uploaded> {
    let mut state = State {
        repository,
        fence,
        uploaded: Uploaded::default(),
        waiting: Vec::new(),
        blobs: 0,
    };
    let result = state.receive(&mut packs, dry_run).await;
    if result.is_err() {
        cancel.cancel();
        packs.close();
    }
    let saved = state.save_index().await;
    result?;
    saved?;
    Ok(state.uploaded)
}

struct State {
    repository: Repository,
    fence: Fence,
    uploaded: Uploaded,
    waiting: Vec<IndexedPack>,
    blobs: usize,
}

impl State {
    async fn receive(
        &mut self,
        packs: &mut mpsc::Receiver<FinishedPack>,
        dry_run: bool,
    ) -> Result<()> {
        let connections = self.repository.storage().capabilities().connections;
        let pack_size = self.repository.settings().pack_size_bytes.max(1);
        let fitting = usize::try_from(MEMORY_BYTES / u64::from(pack_size)).unwrap_or(1);
        let limit = connections.min(fitting).max(1);
        let mut running = JoinSet::new();
        let mut failure = None;
        while failure.is_none() {
            if running.len() >= limit {
                let done = running.join_next().await;
                failure = self.note(done).await.err();
                continue;
            }
            let Some(pack) = packs.recv().await else {
                break;
            };
            if dry_run {
                continue;
            }
            running.spawn(store(self.repository.clone(), pack));
        }
        // Uploads under way end by themselves: what they store is indexed even if another failed.
        while let Some(done) = running.join_next().await {
            failure = failure.or(self.note(Some(done)).await.err());
        }
        failure.map_or(Ok(()), Err)
    }

    async fn note(&mut self, done: Option<Joined>) -> Result<()> {
        let Some(done) = done else { return Ok(()) };
        let (pack, bytes) =
            done.map_err(|error| Error::new(ErrorKind::Internal, format!("upload: {error}")))??;
        self.uploaded.packs.push(pack.id);
        self.uploaded.bytes = self.uploaded.bytes.saturating_add(bytes);
        self.blobs = self.blobs.saturating_add(pack.blobs.len());
        self.waiting.push(pack);
        if self.blobs >= BLOBS_SUGGESTED {
            self.save_index().await?;
        }
        Ok(())
    }

    async fn save_index(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let packs = std::mem::take(&mut self.waiting);
        self.blobs = 0;
        let plain = self
            .repository
            .workers()
            // Never on the pool: all its threads may be waiting for this uploader.
            .run_beside(move || encode_index(&packs))
            .await?;
        self.uploaded.bytes = self.uploaded.bytes.saturating_add(plain.len() as u64);
        // As long as nothing names them the packs are waste to a prune that begins when this lock is lost.
        self.fence.verify().await?;
        self.uploaded
            .indexes
            .push(self.repository.save_file(FileKind::Index, plain).await?);
        Ok(())
    }
}

type Joined = std::result::Result<Result<(IndexedPack, u64)>, tokio::task::JoinError>;

/// Stores a pack; returns what an index says of it, and its size in bytes.
async fn store(repository: Repository, pack: FinishedPack) -> Result<(IndexedPack, u64)> {
    let class = match pack.kind {
        BlobKind::Data => Class::Data,
        BlobKind::Tree => Class::Metadata,
    };
    let path = FileKind::Pack.path(&pack.id)?;
    let doing = || format!("save pack {}", pack.id.short());
    let length = pack.bytes.len() as u64;
    match repository
        .storage()
        .write(&path, pack.bytes, WriteMode::New, class)
        .await
    {
        // The name is the hash of the content: a retried write that had succeeded finds its own file.
        Err(error) if error.kind == StorageKind::AlreadyExists => {}
        result => result.context(doing)?,
    }
    Ok((
        IndexedPack {
            id: pack.id,
            blobs: pack.blobs,
        },
        length,
    ))
}
