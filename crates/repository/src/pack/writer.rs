//! Storing blobs: deduplicated, compressed, encrypted, gathered in packs, uploaded and indexed.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::open_pack::{FinishedPack, OpenPack};
use super::totals::{Totals, WriterTotals};
use super::upload::{self, Uploaded};
use crate::compression;
use crate::crypto::OVERHEAD;
use crate::format::{BlobKind, Id, RepositoryVersion};
use crate::index::Index;
use crate::lock::{Fence, Lock};
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};
use strongroom_storage::Buffers;

/// How an operation writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriterOptions {
    /// Do everything but store.
    pub dry_run: bool,
}

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its identifier.
    pub id: Id,
    /// Whether the repository did not have it.
    pub is_new: bool,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// Bytes in the pack; zero if the repository had it.
    pub stored_bytes: u64,
}

/// Stores blobs for one operation. Clones share it.
///
/// A blob is in the repository for good only when [`BlobWriter::finish`] has returned: until then a snapshot or another
/// file must not name it. If the operation fails or is dropped before, packs that were stored stay; the index files
/// saved so far make the next run use them.
#[derive(Clone)]
pub struct BlobWriter {
    shared: Arc<Shared>,
}

struct Shared {
    repository: Repository,
    index: Arc<Index>,
    /// Blobs that this operation has taken on, in shards by the first byte of the identifier.
    taken: Vec<Mutex<HashSet<(BlobKind, Id)>>>,
    /// Packs that no thread is filling at the moment. At most one a thread and kind.
    idle: Mutex<Vec<OpenPack>>,
    /// Memory of packs that are stored.
    buffers: Buffers,
    sender: Mutex<Option<mpsc::Sender<FinishedPack>>>,
    upload: Mutex<Option<JoinHandle<Result<Uploaded>>>>,
    cancel: CancellationToken,
    totals: Totals,
}

const SHARDS: usize = 64;

/// Shorter blobs are hashed alone.
const HASHED_BESIDE_MIN: usize = 64 << 10;

/// Memory of packs that is kept for the next ones; more than these are in use only while the storage is slow.
const BUFFERS_KEPT: usize = 8;

impl BlobWriter {
    /// A writer that stores what `index` does not name. Must be called inside a tokio runtime.
    ///
    /// `cancel` is cancelled by the writer when an upload fails, so that the producers stop.
    ///
    /// For a repository that nobody else works on; otherwise [`BlobWriter::under`] a lock.
    pub fn new(
        repository: &Repository,
        index: Arc<Index>,
        options: WriterOptions,
        cancel: CancellationToken,
    ) -> Self {
        Self::fenced(Fence::default(), repository, index, options, cancel)
    }

    /// The same under this operation's lock: a process that slept past its life writes no index file, for a prune may have
    /// removed the packs that it would name, and later backups would rely on them (story T-06).
    pub fn under(
        lock: &Lock,
        repository: &Repository,
        index: Arc<Index>,
        options: WriterOptions,
        cancel: CancellationToken,
    ) -> Self {
        Self::fenced(lock.fence(), repository, index, options, cancel)
    }

    fn fenced(
        fence: Fence,
        repository: &Repository,
        index: Arc<Index>,
        options: WriterOptions,
        cancel: CancellationToken,
    ) -> Self {
        // One finished pack may wait while the uploader's own are under way: memory is bounded by that.
        let (sender, receiver) = mpsc::channel(1);
        let upload = tokio::spawn(upload::run(
            repository.clone(),
            fence,
            receiver,
            options.dry_run,
            cancel.clone(),
        ));
        Self {
            shared: Arc::new(Shared {
                repository: repository.clone(),
                index,
                taken: (0..SHARDS).map(|_| Mutex::default()).collect(),
                idle: Mutex::default(),
                buffers: Buffers::new(BUFFERS_KEPT, usize::MAX),
                sender: Mutex::new(Some(sender)),
                upload: Mutex::new(Some(upload)),
                cancel,
                totals: Totals::default(),
            }),
        }
    }

    /// Stores a blob unless the repository has it. Keeps a core busy and may wait for the uploader: call it on a
    /// worker thread, never on an async runtime.
    pub fn store(&self, kind: BlobKind, plain: &[u8]) -> Result<Stored> {
        self.store_hashed(kind, self.identifier(kind, plain), plain)
    }

    /// The identifier of a blob. Beside a long one a part of a pack is hashed, too.
    fn identifier(&self, kind: BlobKind, plain: &[u8]) -> Id {
        if plain.len() < HASHED_BESIDE_MIN {
            return Id::of(plain);
        }
        let mut pack = self.open_pack(kind);
        let id = pack.hash_beside(plain);
        // It came from there and is not longer than it was.
        lock(&self.shared.idle).push(pack);
        id
    }

    /// The same for a blob whose identifier the caller has computed.
    pub(crate) fn store_hashed(&self, kind: BlobKind, id: Id, plain: &[u8]) -> Result<Stored> {
        let plain_bytes = plain.len() as u64;
        if !self.take(kind, id) {
            return Ok(Stored {
                id,
                is_new: false,
                plain_bytes,
                stored_bytes: 0,
            });
        }
        let (stored_bytes, full) = self.seal(kind, id, plain)?;
        if let Some(pack) = full {
            self.send_blocking(self.close(pack)?)?;
        }
        Ok(Stored {
            id,
            is_new: true,
            plain_bytes,
            stored_bytes,
        })
    }

    /// Stores a blob as it lies in a pack of a repository with the same master key, unless this operation has taken it
    /// on already. The caller has checked that it is whole. For moving blobs: the index is not asked.
    pub async fn store_sealed(
        &self,
        kind: BlobKind,
        id: Id,
        sealed: &[u8],
        uncompressed_length: Option<NonZeroU32>,
    ) -> Result<bool> {
        if !lock(self.shard(&id)).insert((kind, id)) {
            return Ok(false);
        }
        let mut pack = self.open_pack(kind);
        let stored = pack.append(id, sealed, uncompressed_length)?;
        let plain_bytes =
            uncompressed_length.map_or(stored.saturating_sub(OVERHEAD as u32), NonZeroU32::get);
        self.shared
            .totals
            .blob(kind, u64::from(plain_bytes), u64::from(stored));
        if let Some(pack) = self.put_back(pack) {
            let this = self.clone();
            let finished = self
                .shared
                .repository
                .workers()
                .run(move || this.close(pack))
                .await??;
            self.send(finished).await?;
        }
        Ok(true)
    }

    /// Whether this operation has stored the blob; nobody had it before.
    pub(crate) fn has_stored(&self, kind: BlobKind, id: &Id) -> bool {
        lock(self.shard(id)).contains(&(kind, *id))
    }

    /// What was written so far.
    pub fn totals(&self) -> WriterTotals {
        self.shared.totals.read()
    }

    /// Ends the writer after the work that fed it: it is finished in every case, so that what is stored is indexed.
    ///
    /// # Errors
    /// The failure of the work or of the writer; where both failed, the one that was not merely cancelled by the other.
    pub async fn finish_after<T>(&self, work: Result<T>) -> Result<(T, Uploaded)> {
        if work.is_err() {
            self.shared.cancel.cancel();
        }
        match (work, self.finish().await) {
            (Ok(done), Ok(uploaded)) => Ok((done, uploaded)),
            (Err(error), _) if error.kind() != ErrorKind::Cancelled => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    }

    /// Stores what is left, waits for all uploads and saves the index.
    ///
    /// # Errors
    /// The first failure of the operation.
    pub async fn finish(&self) -> Result<Uploaded> {
        let this = self.clone();
        let rest = self
            .shared
            .repository
            .workers()
            .run(move || this.close_all())
            .await?;
        let sent = match rest {
            Ok(packs) => self.send_all(packs).await,
            Err(error) => Err(error),
        };
        lock(&self.shared.sender).take();
        let upload = lock(&self.shared.upload).take();
        let Some(upload) = upload else {
            return Err(Error::new(
                ErrorKind::Internal,
                "the writer was finished twice",
            ));
        };
        // The uploader's own error is the cause where both failed.
        let uploaded = upload
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, format!("upload: {error}")))??;
        sent?;
        Ok(uploaded)
    }

    fn shard(&self, id: &Id) -> &Mutex<HashSet<(BlobKind, Id)>> {
        let [first, ..] = *id.as_bytes();
        #[allow(clippy::indexing_slicing)] // SHARDS of them, and the remainder is below
        &self.shared.taken[usize::from(first) % SHARDS]
    }

    fn take(&self, kind: BlobKind, id: Id) -> bool {
        !self.shared.index.contains(kind, &id) && lock(self.shard(&id)).insert((kind, id))
    }

    fn seal(&self, kind: BlobKind, id: Id, plain: &[u8]) -> Result<(u64, Option<OpenPack>)> {
        let repository = &self.shared.repository;
        let level = repository.settings().compression;
        let length = NonZeroU32::new(u32::try_from(plain.len()).map_err(|_| too_large())?);
        let store = |frame: Option<&[u8]>| -> Result<(u32, OpenPack)> {
            let mut pack = self.open_pack(kind);
            let content = frame.unwrap_or(plain);
            let uncompressed_length = length.filter(|_| frame.is_some());
            let stored = pack.seal(repository.master(), id, content, uncompressed_length)?;
            Ok((stored, pack))
        };
        let (stored, pack) = match repository.config().version {
            RepositoryVersion::V1 => store(None),
            RepositoryVersion::V2 => compression::with_compressed(level, kind, plain, store)
                .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?,
        }?;
        let stored = u64::from(stored);
        self.shared.totals.blob(kind, plain.len() as u64, stored);
        Ok((stored, self.put_back(pack)))
    }

    /// A pack of the kind that is this thread's alone until it is put back.
    fn open_pack(&self, kind: BlobKind) -> OpenPack {
        let mut idle = lock(&self.shared.idle);
        // The one that was put back last is the warmest, and mostly this thread's own.
        match idle.iter().rposition(|pack| pack.kind() == kind) {
            Some(position) => idle.swap_remove(position),
            // Untouched memory of a large allocation costs nothing; a pack may grow past its size by its last blob.
            None => {
                let capacity_bytes = self.full().saturating_add(1 << 20);
                OpenPack::new(kind, &self.shared.buffers, capacity_bytes)
            }
        }
    }

    /// Puts a pack back for others to fill, or returns it if it is full.
    fn put_back(&self, pack: OpenPack) -> Option<OpenPack> {
        if pack.len() >= self.full() {
            return Some(pack);
        }
        lock(&self.shared.idle).push(pack);
        None
    }

    /// Bytes at which a pack is closed.
    fn full(&self) -> usize {
        usize::try_from(self.shared.repository.settings().pack_size_bytes).unwrap_or(usize::MAX)
    }

    fn close(&self, pack: OpenPack) -> Result<FinishedPack> {
        self.shared.totals.pack();
        pack.finish(self.shared.repository.master())
    }

    /// Closes all packs, after gathering the blobs of those that are not full in as few as possible.
    fn close_all(&self) -> Result<Vec<FinishedPack>> {
        let mut open = std::mem::take(&mut *lock(&self.shared.idle));
        if self.shared.cancel.is_cancelled() {
            // Whoever cancelled does not want to wait for more uploads; a pack at most for each thread is lost by it.
            open.clear();
        }
        open.sort_by_key(|pack| std::cmp::Reverse(pack.len()));
        let full = self.full();
        let mut gathered: Vec<OpenPack> = Vec::new();
        for pack in open.into_iter().filter(|pack| !pack.is_empty()) {
            let fits = |into: &&mut OpenPack| {
                into.kind() == pack.kind() && into.len().saturating_add(pack.len()) <= full
            };
            match gathered.iter_mut().find(fits) {
                Some(into) => into.absorb(&pack)?,
                None => gathered.push(pack),
            }
        }
        gathered.into_iter().map(|pack| self.close(pack)).collect()
    }

    fn sender(&self) -> Result<mpsc::Sender<FinishedPack>> {
        lock(&self.shared.sender)
            .clone()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the writer is finished"))
    }

    fn send_blocking(&self, pack: FinishedPack) -> Result<()> {
        if self.shared.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        // A closed channel means that the uploader has failed; `finish` returns its error.
        self.sender()?
            .blocking_send(pack)
            .map_err(|_| Error::cancelled())
    }

    async fn send(&self, pack: FinishedPack) -> Result<()> {
        self.sender()?
            .send(pack)
            .await
            .map_err(|_| Error::cancelled())
    }

    async fn send_all(&self, packs: Vec<FinishedPack>) -> Result<()> {
        for pack in packs {
            self.send(pack).await?;
        }
        Ok(())
    }
}

/// Locks a mutex; a thread that panicked while it held it left nothing half-done in these.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_large() -> Error {
    Error::new(ErrorKind::Internal, "a blob of more than 4 GiB")
}
