//! Work under a lock of the repository.

use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::clock::SystemClock;
use strongroom_repository::lock::{Access, Lock, LockOptions};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::host::ThisHost;

impl Context {
    /// How locks are taken. `--no-lock` is for reading alone: what writes without one could lose others' data.
    pub fn lock_options(&self, access: Access) -> LockOptions {
        LockOptions {
            host: Arc::new(ThisHost::new(&self.environment)),
            clock: Arc::new(SystemClock),
            retry_for: self.global.retry_lock.unwrap_or_default(),
            disabled: self.global.no_lock && access == Access::Read,
        }
    }

    /// Does work under a lock, and gives the lock up in every case. Where the work has succeeded and may have added or
    /// removed files, parity is brought up to date under the same lock.
    pub async fn locked<T>(
        &self,
        repository: &Repository,
        access: Access,
        work: impl AsyncFnOnce(&Lock) -> Result<T>,
    ) -> Result<T> {
        let working = async |lock: &Lock| {
            let done = work(lock).await?;
            self.keep_parity(repository, access, lock).await;
            Ok(done)
        };
        self.locked_alone(repository, access, working).await
    }

    /// Does work under a lock, and nothing else.
    pub async fn locked_alone<T>(
        &self,
        repository: &Repository,
        access: Access,
        work: impl AsyncFnOnce(&Lock) -> Result<T>,
    ) -> Result<T> {
        let lock = repository
            .lock(access, &self.lock_options(access), &self.cancel)
            .await
            .map_err(|error| {
                Error::from(error).context(format_args!("lock {}", repository.location()))
            })?;
        let result = work(&lock).await;
        let released = lock.release().await;
        if let (Ok(_), Err(error)) = (&result, released) {
            // The work is done; the lock is found to be dead by whoever meets it.
            self.output
                .warning(&format!("remove this process's lock: {error}"));
        }
        result
    }
}
