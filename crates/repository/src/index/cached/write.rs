//! Writing the index of this machine's cache.

use std::io;

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;
use strongroom_storage::NewCacheTable;

use super::header::{Blocks, Header, TAG};
use super::{BLOCK_LENGTH, BLOCK_RECORDS, IndexCache, MAGIC, TABLE, key};
use crate::Result;
use crate::crypto::{MasterKey, OVERHEAD};
use crate::error::Context;
use crate::format::BlobKind;
use crate::index::Index;
use crate::index::table::Record;
use crate::repository::Repository;

/// Blocks that are sealed side by side before they are written: under a megabyte.
const BATCH: usize = 64;

impl IndexCache {
    /// Keeps an index that is wholly in memory. Keeps all cores busy: call it on a worker.
    ///
    /// What goes wrong is told and harms nobody.
    pub(in crate::index) fn keep(&self, repository: &Repository, index: &Index) {
        if let Err(error) = self.write(repository, index) {
            (self.notice)(&format!("the index could not be cached: {error}"));
        }
    }

    fn write(&self, repository: &Repository, index: &Index) -> Result<()> {
        let key = key(repository)?;
        let doing = || "write it";
        let mut table = self.tables.create(TABLE).map_err(failed).context(doing)?;
        let mut header = Header {
            files: index.files.clone(),
            packs: index.packs.clone(),
            pack_ends: index.pack_ends(),
            ..Header::default()
        };
        let kinds = [
            (BlobKind::Data, &mut header.data),
            (BlobKind::Tree, &mut header.trees),
        ];
        table.write(&MAGIC).map_err(failed).context(doing)?;
        for (kind, blocks) in kinds {
            write_blocks(&mut table, &key, index.table(kind).in_memory(), blocks)?;
        }
        let sealed = key.seal(&header.encode(&repository.config().id))?;
        let length = (sealed.len() as u64).to_le_bytes();
        let end = [&*sealed, &length].concat();
        table.write(&end).map_err(failed).context(doing)?;
        table.finish().map_err(failed).context(doing)
    }
}

fn write_blocks(
    table: &mut NewCacheTable,
    key: &MasterKey,
    records: &[Record],
    blocks: &mut Blocks,
) -> Result<()> {
    blocks.records = records.len();
    for batch in records.chunks(BLOCK_RECORDS * BATCH) {
        let sealed: Result<Vec<Vec<u8>>> = batch
            .par_chunks(BLOCK_RECORDS)
            .map(|block| seal(key, block))
            .collect();
        for (block, sealed) in batch.chunks(BLOCK_RECORDS).zip(sealed?) {
            table.write(&sealed).map_err(failed)?;
            blocks
                .firsts
                .extend(block.first().map(|first| first.id.prefix()));
            blocks.tags.extend(sealed.last_chunk::<TAG>());
        }
    }
    Ok(())
}

fn seal(key: &MasterKey, block: &[Record]) -> Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(block.len() * Record::LENGTH);
    for record in block {
        plain.extend_from_slice(&record.to_bytes());
    }
    let mut sealed = Vec::with_capacity(BLOCK_LENGTH.min(plain.len() + OVERHEAD));
    key.seal_into(&plain, &mut sealed)?;
    Ok(sealed)
}

fn failed(error: io::Error) -> crate::Error {
    crate::Error::new(crate::ErrorKind::Internal, error.to_string())
}
