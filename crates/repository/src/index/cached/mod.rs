//! The index of a repository, sorted and kept on this machine: opened instead of decoded.
//!
//! One file, in this order: the sorted records in blocks of [`BLOCK_RECORDS`], and the header, which says
//! which index files the records come from, which packs they lie in, and for each block the first identifier and the
//! MAC. Header and blocks are sealed as everything in a repository is, with a key that is derived from the master
//! key for this purpose alone. So the file tells nobody anything, and a foreign, old, cut or flipped one is found out: the
//! header by its own MAC, a block by the MAC that the header has for this very place.
//!
//! Whoever looks up a few blobs reads the header and the blocks that these fall into (a block is decrypted when it is
//! touched for the first time, and kept); whoever goes through all records reads all blocks side by side. The records of
//! index files that came later are decoded and lie in memory beside it, until they are so many that the whole is
//! written anew. An index file that vanished takes with it what it said of its packs, and whatever else says something
//! of them is read anew.
//!
//! The file is never needed. Where it does not answer, the index files do.
//!
//! Layout: 8 bytes (`strmidx` and the version); the blocks of data, those of trees; the sealed header; 8 bytes of its
//! length. Numbers are little-endian; a record has 48 bytes: identifier, pack, offset, length, plain length.

mod header;
mod read;
mod rescue;
mod stored;
mod write;

use std::fmt;
use std::sync::Arc;

use strongroom_storage::CacheTables;

use super::table::Record;
use crate::crypto::{MasterKey, OVERHEAD};
use crate::repository::Repository;

pub(super) use read::{CachedIndex, Coverage};
pub(super) use rescue::Rescue;
pub(super) use stored::StoredTable;

/// Records of a block: 12 KiB, a few microseconds to decrypt.
const BLOCK_RECORDS: usize = 256;

/// Bytes of a whole block in the file.
const BLOCK_LENGTH: usize = BLOCK_RECORDS * Record::LENGTH + OVERHEAD;

/// Begins the file; the last byte is the version of the layout.
const MAGIC: [u8; 8] = *b"strmidx\x01";

/// Bytes of the header's length, which end the file.
const FOOTER: usize = 8;

/// The name among the tables of a cache.
const TABLE: &str = "index";

/// What the key is derived for.
const PURPOSE: &[u8] = b"strongroom: cached index, version 1";

/// Where a repository's index is kept on this machine, and from which size on.
#[derive(Clone)]
pub struct IndexCache {
    tables: CacheTables,
    blobs_min: usize,
    notice: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Blobs from which on an index is kept; fewer are decoded in some ten milliseconds.
const BLOBS_MIN: usize = 100_000;

impl IndexCache {
    /// Keeps the index among these tables. `notice` is told what goes wrong with them; nothing fails for it.
    pub fn new(tables: CacheTables, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            tables,
            blobs_min: BLOBS_MIN,
            notice: Arc::new(notice),
        }
    }

    /// Keeps an index only if it has at least so many blobs.
    #[must_use]
    pub fn from_blobs(mut self, blobs_min: usize) -> Self {
        self.blobs_min = blobs_min;
        self
    }

    /// Whether so many records are worth keeping.
    pub(super) fn takes(&self, records: usize) -> bool {
        records > 0 && records >= self.blobs_min
    }

    /// Whether what is kept is to be written anew, with so many more records, which come from so many index files.
    pub(super) fn outgrown(&self, stored: usize, fresh: usize, files: usize) -> bool {
        const FILES_MAX: usize = 64;
        fresh > self.blobs_min.max(stored / 16) || files > FILES_MAX
    }

    /// Removes what is kept of an index that has become small.
    pub(super) fn forget(&self) {
        self.tables.remove(TABLE);
    }

    /// Removes what did not prove to be what was written.
    fn discard(&self, reason: &str) {
        (self.notice)(&format!(
            "the cached index is not used: {reason}; the index files are read instead"
        ));
        self.tables.remove(TABLE);
    }
}

impl fmt::Debug for IndexCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexCache")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

fn key(repository: &Repository) -> crate::Result<MasterKey> {
    Ok(repository.master().derive(PURPOSE)?)
}
