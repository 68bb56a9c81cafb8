//! Reading the index of a repository: from its index files, or as far as it goes from this machine's cache.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::cached::{CachedIndex, IndexCache};
use super::{Index, IndexBuilder, Part};
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{Id, unpacked};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result};

/// An index, and the index files that could not be read.
type Loaded = (Index, Vec<(Id, Error)>);

/// What the index is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// All records are gone through.
    All,
    /// Some blobs are looked up.
    LookUps,
}

impl Repository {
    /// The whole index, sorted, in memory.
    ///
    /// # Errors
    /// The first index file that cannot be read; [`Repository::load_index_tolerant`] goes on instead.
    pub async fn load_index(&self, progress: &dyn Progress) -> Result<Index> {
        unless_failed(self.load_index_tolerant(progress).await?)
    }

    /// The index from all index files that can be read, and those that could not.
    pub async fn load_index_tolerant(
        &self,
        progress: &dyn Progress,
    ) -> Result<(Index, Vec<(Id, Error)>)> {
        self.read_index(Purpose::All, progress).await
    }

    /// The index for looking blobs up: where this machine has it cached, its records are read when they are needed.
    ///
    /// # Errors
    /// The first index file that cannot be read; [`Repository::open_index_tolerant`] goes on instead.
    pub async fn open_index(&self, progress: &dyn Progress) -> Result<Index> {
        unless_failed(self.open_index_tolerant(progress).await?)
    }

    /// The same from all index files that can be read, and those that could not.
    pub async fn open_index_tolerant(
        &self,
        progress: &dyn Progress,
    ) -> Result<(Index, Vec<(Id, Error)>)> {
        self.read_index(Purpose::LookUps, progress).await
    }

    async fn read_index(&self, purpose: Purpose, progress: &dyn Progress) -> Result<Loaded> {
        progress.begin(Phase::LoadIndex);
        let files = self.list(FileKind::Index).await?;
        progress.add_total(items(files.len()));
        progress.total_known();
        let listed: Vec<Id> = files.into_iter().map(|file| file.id).collect();
        let Some(cache) = self.index_cache().cloned() else {
            let (builder, failures) = self.read_parts(listed, progress).await?;
            let index = self.workers().run(move || builder.build()).await?;
            return Ok((index, failures));
        };
        let (this, opening) = (self.clone(), cache.clone());
        let cached = self.workers().run_beside(move || opening.open(&this));
        if let Some(cached) = cached.await?
            && let Some(loaded) = self
                .read_beside(&cache, cached, &listed, purpose, progress)
                .await?
        {
            return Ok(loaded);
        }
        let (builder, failures) = self.read_parts(listed, progress).await?;
        Ok((self.build_and_keep(builder, cache).await?, failures))
    }

    /// What the cache has, and beside it what came later. `None` where the cache is damaged.
    async fn read_beside(
        &self,
        cache: &IndexCache,
        cached: CachedIndex,
        listed: &[Id],
        purpose: Purpose,
        progress: &dyn Progress,
    ) -> Result<Option<Loaded>> {
        let coverage = cached.against(listed.iter().copied());
        progress.advance(items(coverage.covered.len()));
        let files = coverage.unread.len();
        let unread = coverage.unread.clone();
        let (fresh, failures) = self.read_parts(unread, progress).await?;
        let is_current =
            coverage.is_whole && !cache.outgrown(cached.header.records(), fresh.records(), files);
        if is_current && purpose == Purpose::LookUps && fresh.is_apart_from(&cached.header.packs) {
            return Ok(Some((fresh.build_beside(cached, self.clone()), failures)));
        }
        let job = move || {
            let mut builder = IndexBuilder::from_cached(&cached, &coverage)?;
            builder.append(fresh);
            Some(builder)
        };
        let Some(builder) = self.workers().run(job).await? else {
            return Ok(None);
        };
        let index = match is_current {
            true => self.workers().run(move || builder.build()).await?,
            false => self.build_and_keep(builder, cache.clone()).await?,
        };
        Ok(Some((index, failures)))
    }

    async fn build_and_keep(&self, builder: IndexBuilder, cache: IndexCache) -> Result<Index> {
        let this = self.clone();
        let job = move || {
            let index = builder.build();
            match cache.takes(index.records()) {
                true => cache.keep(&this, &index),
                false => cache.forget(),
            }
            index
        };
        self.workers().run(job).await
    }

    /// Decodes index files, some side by side; a file is about 8 MiB of JSON, so this bounds the memory.
    async fn read_parts(
        &self,
        files: Vec<Id>,
        progress: &dyn Progress,
    ) -> Result<(IndexBuilder, Vec<(Id, Error)>)> {
        let at_once = self
            .storage()
            .capabilities()
            .connections
            .max(self.workers().threads());
        let buffers = Arc::default();
        let mut parts = stream::iter(files)
            .map(|id| self.load_part(id, Arc::clone(&buffers)))
            .buffer_unordered(at_once);
        let mut builder = IndexBuilder::default();
        let mut failures = Vec::new();
        while let Some((id, part)) = parts.try_next().await? {
            match part {
                Ok(Some(part)) => builder.add(id, part),
                Ok(None) => {}
                Err(error) => failures.push((id, error)),
            }
            progress.advance(items(1));
        }
        Ok((builder, failures))
    }

    async fn load_part(&self, id: Id, buffers: Buffers) -> Result<(Id, Result<Option<Part>>)> {
        let stored = match self.load_raw(FileKind::Index, &id).await {
            Ok(stored) => stored,
            // Removed by a prune since the listing, whose own index files were listed or will be: what it described
            // is described elsewhere, or not needed by any snapshot.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((id, Ok(None))),
            Err(error) if is_damage(&error) => {
                return Ok((id, Err(Error::damaged(error.to_string()))));
            }
            Err(error) => return Err(error),
        };
        let this = self.clone();
        let job = move || this.decode_part(&id, stored, &buffers);
        Ok((id, self.workers().run(job).await?.map(Some)))
    }

    /// One index file, decoded on this thread.
    pub(super) async fn read_part(&self, id: &Id) -> Result<Part> {
        let stored = self.load_raw(FileKind::Index, id).await?;
        self.decode_part(id, stored, &Buffers::default())
    }

    /// One index file from its ciphertext to records, on one core and while it is warm.
    fn decode_part(&self, id: &Id, stored: Bytes, buffers: &Buffers) -> Result<Part> {
        let doing = || format!("read {} {}", FileKind::Index.noun(), id.short());
        if Id::of(&stored) != *id {
            return Err(Error::damaged("the content does not match the name")).context(doing);
        }
        let mut sealed = Vec::from(stored);
        let content = self.master().open_in_place(&mut sealed).context(doing)?;
        let mut buffer = lock(buffers).pop().unwrap_or_default();
        let (version, max) = (self.config().version, unpacked::LENGTH_MAX);
        let part = match unpacked::decode_into(version, content, max, &mut buffer) {
            Ok(true) => Part::decode(id, &buffer),
            Ok(false) => Part::decode(id, content),
            Err(error) => Err(error).context(doing),
        };
        lock(buffers).push(buffer);
        part
    }
}

impl IndexBuilder {
    /// Whether none of these packs is one of those collected here.
    fn is_apart_from(&self, packs: &[Id]) -> bool {
        let own: HashSet<&Id> = self.packs().iter().collect();
        own.is_empty() || !packs.iter().any(|pack| own.contains(pack))
    }
}

fn unless_failed((index, failures): Loaded) -> Result<Index> {
    match failures.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(index),
    }
}

fn items(count: usize) -> Amount {
    Amount {
        items: count as u64,
        ..Amount::default()
    }
}

/// Memory for the JSON of index files, 8 MiB each as a rule: as many as are decoded at a time, fresh memory for none.
type Buffers = Arc<Mutex<Vec<Vec<u8>>>>;

fn lock(buffers: &Buffers) -> MutexGuard<'_, Vec<Vec<u8>>> {
    buffers.lock().unwrap_or_else(PoisonError::into_inner)
}
