//! Reading the index files of a repository.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Index, IndexBuilder};
use crate::error::Context;
use crate::file_kind::{FileEntry, FileKind};
use crate::format::{self, Id};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::is_damage;
use crate::{Error, ErrorKind, Result};

impl Repository {
    /// Reads all index files.
    ///
    /// # Errors
    /// The first index file that cannot be read; [`Repository::load_index_tolerant`] goes on instead.
    pub async fn load_index(&self, progress: &dyn Progress) -> Result<Index> {
        let (index, failures) = self.load_index_tolerant(progress).await?;
        match failures.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(index),
        }
    }

    /// Reads all index files that can be read, and tells which could not.
    pub async fn load_index_tolerant(
        &self,
        progress: &dyn Progress,
    ) -> Result<(Index, Vec<(Id, Error)>)> {
        progress.begin(Phase::LoadIndex);
        let files = self.list(FileKind::Index).await?;
        progress.add_total(Amount {
            items: files.len() as u64,
            ..Amount::default()
        });
        progress.total_known();
        // Some files are fetched while others are decoded; a file is about 8 MiB of JSON, so this bounds the memory.
        let at_once = self
            .storage()
            .capabilities()
            .connections
            .max(self.workers().threads());
        let mut parts = stream::iter(files)
            .map(|file| self.load_index_file(file))
            .buffer_unordered(at_once);
        let mut builder = IndexBuilder::new();
        let mut failures = Vec::new();
        while let Some((id, part)) = parts.try_next().await? {
            match part {
                Ok(part) => builder.merge(part),
                Err(error) => failures.push((id, error)),
            }
            progress.advance(Amount {
                items: 1,
                ..Amount::default()
            });
        }
        let index = self.workers().run(move || builder.build()).await?;
        Ok((index, failures))
    }

    async fn load_index_file(&self, file: FileEntry) -> Result<(Id, Result<IndexBuilder>)> {
        let plain = match self.load_file(FileKind::Index, &file.id).await {
            Ok(plain) => plain,
            // Removed by a prune since the listing, whose own index files were listed or will be: what it described
            // is described elsewhere, or not needed by any snapshot.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok((file.id, Ok(IndexBuilder::new())));
            }
            Err(error) if is_damage(&error) => {
                return Ok((file.id, Err(Error::damaged(error.to_string()))));
            }
            Err(error) => return Err(error),
        };
        let id = file.id;
        let part = self.workers().run(move || decode(id, &plain)).await?;
        Ok((id, part))
    }
}

fn decode(id: Id, plain: &[u8]) -> Result<IndexBuilder> {
    let mut builder = IndexBuilder::new();
    let mut packs: Vec<u32> = Vec::new();
    format::index::decode(plain, |pack, blob| {
        let number = builder.pack(*pack);
        if packs.last() != Some(&number) {
            packs.push(number);
        }
        builder.blob(number, &blob);
    })
    .map_err(Error::from)
    .context(|| format!("index {}", id.short()))?;
    builder.file(id, packs);
    Ok(builder)
}
