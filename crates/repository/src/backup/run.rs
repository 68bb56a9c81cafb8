//! What all threads of one backup share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle as Runtime;
use tokio_util::sync::CancellationToken;

use super::counters::Counters;
use super::parent::ParentTrees;
use super::small::SmallFiles;
use super::{BackupOptions, EntryError, chunk};
use crate::Error;
use crate::chunker::Chunker;
use crate::format::{BlobKind, Id, Node};
use crate::index::Index;
use crate::pack::BlobWriter;
use crate::progress::{Amount, Progress};
use crate::repository::{Repository, decode_tree};
use strongroom_storage::Buffers;

pub(super) struct Run {
    pub repository: Repository,
    pub index: Arc<Index>,
    pub writer: BlobWriter,
    pub chunker: Chunker,
    /// Memory for the chunks of large files.
    pub chunk_buffers: Buffers,
    pub options: BackupOptions,
    pub progress: Arc<dyn Progress>,
    pub cancel: CancellationToken,
    pub counters: Counters,
    pub small_files: SmallFiles,
    parent_trees: ParentTrees,
    runtime: Runtime,
    /// Something that the parent names is not to be had.
    met_losses: AtomicBool,
    failure: Mutex<Option<Error>>,
    /// Chunks that were handed to other threads and are not stored yet.
    handed_out: AtomicUsize,
    /// Files that wait for a thread.
    queued: AtomicUsize,
}

/// Larger files that may wait for a thread. They take a few hundred bytes each.
const QUEUE_MAX: usize = 4096;

impl Run {
    pub fn new(
        repository: &Repository,
        index: Arc<Index>,
        writer: BlobWriter,
        options: BackupOptions,
        progress: Arc<dyn Progress>,
        cancel: CancellationToken,
    ) -> Self {
        // Each thread may read one, and others wait for a thread.
        let threads = repository.workers().threads();
        let chunks = threads.saturating_add(handed_out_max(threads));
        Self {
            repository: repository.clone(),
            index,
            writer,
            chunker: Chunker::new(repository.config().chunker_polynomial),
            chunk_buffers: chunk::buffers(chunks),
            small_files: SmallFiles::new(threads),
            options,
            progress,
            cancel,
            counters: Counters::default(),
            parent_trees: ParentTrees::default(),
            runtime: Runtime::current(),
            met_losses: AtomicBool::new(false),
            failure: Mutex::new(None),
            handed_out: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
        }
    }

    /// Ends the backup: nothing more is read, and no snapshot is published.
    pub fn fail(&self, error: Error) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.cancel.cancel();
    }

    pub fn take_failure(&self) -> Option<Error> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether threads should stop.
    pub fn is_over(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Tells of bytes of files that were read.
    pub fn read(&self, bytes: u64) {
        self.progress.advance(Amount {
            bytes,
            ..Amount::default()
        });
    }

    /// Tells of something that could not be read; the run is partial from here.
    pub fn entry_error(&self, path: &[u8], error: &EntryError) {
        self.counters.error();
        self.progress
            .entry_error(path, error.during, &error.message);
    }

    /// A tree of the parent. Called on a worker thread: waits for the storage, decodes on the spot.
    ///
    /// `None` if it is not to be had: everything below is read anew then, and stored if it is missing.
    pub fn parent_tree(&self, id: &Id) -> Option<Vec<Node>> {
        let Some(location) = self.index.locate(BlobKind::Tree, id) else {
            self.note_loss();
            return None;
        };
        let decoded = self
            .parent_trees
            .load(&self.repository, &self.index, &location, &self.runtime)
            .and_then(|stored| self.repository.decode_blob(id, &location, &stored))
            .and_then(|content| decode_tree(id, &content));
        match decoded {
            Ok(tree) => Some(tree.nodes),
            Err(error) => {
                self.note_loss();
                self.progress.warning(&format!(
                    "a tree of the parent snapshot is not used: {error}"
                ));
                None
            }
        }
    }

    /// The repository has lost something that an earlier snapshot names: this backup may bring it back.
    pub fn note_loss(&self) {
        self.met_losses.store(true, Ordering::Relaxed);
    }

    /// Whether anything was found to be lost, by this backup or before it.
    pub fn has_losses(&self) -> bool {
        self.index.is_reduced() || self.met_losses.load(Ordering::Relaxed)
    }

    /// Room for one more chunk on another thread.
    pub fn hand_out(&self) -> bool {
        let threads = self.repository.workers().threads();
        enter(&self.handed_out, handed_out_max(threads))
    }

    pub fn handed_back(&self) {
        self.handed_out.fetch_sub(1, Ordering::AcqRel);
    }

    /// Room for one more file in the queue.
    pub fn enqueue(&self) -> bool {
        enter(&self.queued, QUEUE_MAX)
    }

    pub fn dequeued(&self) {
        self.queued.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Chunks that may wait for a thread or be stored by another one than that which read them. One a thread and one more
/// keep all busy, as the chunks differ in length; more would only take memory.
fn handed_out_max(threads: usize) -> usize {
    threads.saturating_add(1)
}

/// Counts one more unless that would pass the limit.
fn enter(counter: &AtomicUsize, limit: usize) -> bool {
    if counter.fetch_add(1, Ordering::AcqRel) < limit {
        return true;
    }
    counter.fetch_sub(1, Ordering::AcqRel);
    false
}
