//! What a damaged block of the cached index held, from the index files that it was made of.

use std::sync::OnceLock;

use super::BLOCK_RECORDS;
use super::read::CachedIndex;
use crate::format::BlobKind;
use crate::index::IndexBuilder;
use crate::index::table::Record;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A cached index, and how to do without it once a block turns out to be damaged.
///
/// That happens in the middle of a look-up, which neither fails nor waits for anything else. So the index files are
/// read and decoded by a thread with a runtime of its own, which needs neither the engine's threads nor the caller's
/// runtime: both may be waiting for just this block. It is slow, and it happens to a cache that a disk or a hand has
/// damaged.
#[derive(Debug)]
pub(in crate::index) struct Rescue {
    pub cached: CachedIndex,
    repository: Repository,
    decoded: OnceLock<Option<Decoded>>,
}

#[derive(Debug)]
struct Decoded {
    data: Vec<Record>,
    trees: Vec<Record>,
}

impl Rescue {
    pub fn new(cached: CachedIndex, repository: Repository) -> Self {
        Self {
            cached,
            repository,
            decoded: OnceLock::new(),
        }
    }

    /// The records of a block. None where the index files have gone meanwhile: then what they named is not known any
    /// more, as if they had gone before this index was opened.
    pub fn block(&self, kind: BlobKind, block: usize) -> Box<[Record]> {
        let decoded = self.decoded.get_or_init(|| {
            self.cached.discard();
            self.decode().ok()
        });
        let records = decoded.as_ref().map_or(&[][..], |decoded| match kind {
            BlobKind::Data => &decoded.data,
            BlobKind::Tree => &decoded.trees,
        });
        let mut blocks = records.chunks(BLOCK_RECORDS);
        blocks.nth(block).unwrap_or_default().into()
    }

    /// All records as they were when the cached index was written, in the same order.
    fn decode(&self) -> Result<Decoded> {
        let job = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
            let index = runtime.block_on(self.read_files())?;
            let header = &self.cached.header;
            let (data, trees) = index.into_memory();
            let is_same = data.len() == header.data.records && trees.len() == header.trees.records;
            is_same
                .then_some(Decoded { data, trees })
                .ok_or_else(|| Error::damaged("the index files name other blobs"))
        };
        std::thread::scope(|scope| scope.spawn(job).join())
            .map_err(|_| Error::new(ErrorKind::Internal, "a thread panicked"))?
    }

    async fn read_files(&self) -> Result<crate::index::Index> {
        let header = &self.cached.header;
        // Packs keep their numbers.
        let mut builder = IndexBuilder::with_packs(&header.packs);
        for file in &header.files {
            let part = self.repository.read_part(&file.id).await?;
            builder.add(file.id, part);
        }
        Ok(builder.build())
    }
}
