//! A repository that is open: its files, its blobs, its index.

mod blobs;
mod create;
mod files;
mod history;
mod open;
mod snapshots;
mod trees;

use std::sync::Arc;

use strongroom_storage::Storage;

use crate::crypto::MasterKey;
use crate::format::{Config, Id};
use crate::index::IndexCache;
use crate::signature::Signer;
use crate::workers::Workers;

pub use blobs::{BlobMemory, StoredBlob};
pub(crate) use blobs::{IdleMemory, RunningHash, decode_tree};
pub use create::CreateOptions;
pub use open::OpenOptions;
pub use snapshots::SnapshotFile;

/// An open repository. Clones share it.
///
/// Whoever holds one can read everything; what may be written or deleted beside other processes is the matter of
/// [`crate::lock`], which every operation that writes takes first.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Arc<dyn Storage>,
    master: MasterKey,
    key_id: Id,
    config: Config,
    workers: Workers,
    settings: Settings,
    signer: Option<Arc<Signer>>,
    index_cache: Option<IndexCache>,
    history: Arc<history::History>,
}

/// What the user may choose about how new data is stored.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How blobs are compressed.
    pub compression: crate::compression::Level,
    /// Packs are closed when they reach this size; 4 MiB to 128 MiB.
    pub pack_size_bytes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            compression: crate::compression::Level::default(),
            pack_size_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Repository {
    /// The repository's configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The storage that it lives in.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.inner.storage
    }

    /// The key file that the password opened.
    pub fn key_id(&self) -> Id {
        self.inner.key_id
    }

    /// The master key.
    pub(crate) fn master(&self) -> &MasterKey {
        &self.inner.master
    }

    /// The threads for hashing, compression and encryption.
    pub fn workers(&self) -> &Workers {
        &self.inner.workers
    }

    /// How new data is stored.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Who signs what is published and removed here, if anybody does.
    pub fn signer(&self) -> Option<&Signer> {
        self.inner.signer.as_deref()
    }

    /// Where the index is kept on this machine, if it is.
    pub(crate) fn index_cache(&self) -> Option<&IndexCache> {
        self.inner.index_cache.as_ref()
    }

    /// The storage's name for messages.
    pub fn location(&self) -> String {
        self.inner.storage.location()
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("location", &self.location())
            .finish_non_exhaustive()
    }
}
