//! Work under a lock of the repository.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strongroom_repository::clock::SystemClock;
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::{ErrorKind, Repository};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::host::ThisHost;

const UNREADABLE_HINT: &str = "a damaged lock may be that of a process that still runs: when you know that none does, \
    `strongroom unlock --remove-all` removes it";

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
        let lock = match self.take_lock(repository, access).await {
            Ok(lock) => lock,
            Err(error) => {
                let unreadable = error.kind() == ErrorKind::Locked
                    && self.meets_unreadable_lock(repository, access).await;
                let error =
                    Error::from(error).context(format_args!("lock {}", repository.location()));
                return Err(if unreadable {
                    error.hint(UNREADABLE_HINT)
                } else {
                    error
                });
            }
        };
        let result = work(&lock).await;
        let released = lock.release().await;
        if let (Ok(_), Err(error)) = (&result, released) {
            // The work is done; the lock is found to be dead by whoever meets it.
            self.output
                .warning(&format!("remove this process's lock: {error}"));
        }
        result
    }

    /// Waits for the lock where that was asked for, and says so before: else nobody knows why nothing happens.
    async fn take_lock(
        &self,
        repository: &Repository,
        access: Access,
    ) -> strongroom_repository::Result<Lock> {
        let options = self.lock_options(access);
        if options.retry_for.is_zero() {
            return repository.lock(access, &options, &self.cancel).await;
        }
        let at_once = LockOptions {
            retry_for: Duration::ZERO,
            ..options.clone()
        };
        match repository.lock(access, &at_once, &self.cancel).await {
            Err(error) if error.kind() == ErrorKind::Locked => {
                let until = Timestamp::now()
                    .checked_add(options.retry_for)
                    .unwrap_or(Timestamp::MAX)
                    .to_zoned(self.environment.time_zone.clone());
                let until = until.strftime("%Y-%m-%d %H:%M:%S");
                self.output
                    .warning(&format!("{error}; waiting for it until {until}"));
                repository.lock(access, &options, &self.cancel).await
            }
            result => result,
        }
    }

    /// Whether there is a lock that nobody can tell the holder of, and so none that a plain `unlock` removes.
    async fn meets_unreadable_lock(&self, repository: &Repository, access: Access) -> bool {
        let found = repository.find_locks(&self.lock_options(access)).await;
        found.is_ok_and(|locks| locks.iter().any(|lock| lock.file.is_err()))
    }
}
