//! The local cache in front of a repository.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strongroom_repository::Repository;
use strongroom_repository::index::IndexCache;
use strongroom_storage::{CacheDirectory, CacheSettings, CacheStorage, CacheTables};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::open::Named;

/// Caches that nobody used for so long are removed by `--cleanup-cache`.
const OLD_CACHE: Duration = Duration::from_secs(30 * 24 * 3600);

impl Context {
    /// Gives a repository its cache: a sorted index, and in front of the storage copies of metadata.
    ///
    /// Copies of what lies on this machine anyway gain nothing, so a local repository has them only where the folder of
    /// the cache was named.
    pub async fn with_cache(&self, named: &Named, repository: Repository) -> Result<Repository> {
        let explicit = self.global.cache_dir.is_some()
            || self.environment.variable("STRONGROOM_CACHE_DIR").is_some();
        let has_copies = explicit || !repository.storage().capabilities().local;
        if self.global.no_cache {
            return Ok(repository);
        }
        let Some(root) = self.cache_directory() else {
            if has_copies {
                self.output.warning(
                    "there is no folder for the cache: neither HOME nor XDG_CACHE_HOME nor STRONGROOM_CACHE_DIR is set",
                );
            }
            return Ok(repository);
        };
        if self.global.cleanup_cache {
            self.clean_up_caches(&root).await;
        }
        // A backup that this folder lies in leaves it out, which it can only where the folder exists from the beginning.
        // A failure here is no harm: the cache says itself what is wrong with it.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(&root);
        let name = repository.config().id.to_hex();
        let failed = |e| Error::failed(format!("open the cache: {e}"));
        let output = Arc::clone(&self.output);
        let notice = move |message: &str| output.detail(1, format_args!("{message}"));
        let tables = CacheTables::new(&root, &name).map_err(failed)?;
        let repository = repository.with_index_cache(IndexCache::new(tables, notice));
        if !has_copies {
            return Ok(repository);
        }
        let storage = Arc::clone(&named.storage);
        let cached =
            CacheStorage::new(storage, root, &name, CacheSettings::default()).map_err(failed)?;
        Ok(repository.with_storage(Arc::new(cached)))
    }

    /// Where caches are kept.
    pub fn cache_directory(&self) -> Option<PathBuf> {
        let given = self.global.cache_dir.clone();
        given.or_else(|| self.environment.cache_directory())
    }

    /// A cache that cannot be removed harms nobody.
    async fn clean_up_caches(&self, root: &Path) {
        let directory = CacheDirectory::new(root);
        let removed = tokio::task::spawn_blocking(move || {
            let old = directory.plan_removal(OLD_CACHE, SystemTime::now())?;
            directory.remove(&old).map(|()| old.len())
        });
        match removed.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(number)) => self
                .output
                .detail(1, format_args!("removed {number} old caches")),
            Ok(Err(error)) => self.output.warning(&format!("remove old caches: {error}")),
        }
    }
}
