//! Holding a lock: written anew while its process lives, checked before anything is published or deleted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strongroom_storage::ErrorKind as StorageKind;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::acquire::{Access, LockOptions};
use super::{REFRESH_AFTER, SLEPT_AFTER};
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A lock that this process holds. Call [`Lock::release`] at the end; a lock that is dropped instead stands until its
/// process is dead.
#[derive(Debug)]
pub struct Lock {
    held: Option<Arc<Held>>,
    keeper: Option<Keeper>,
    met_dead: bool,
}

/// The task that writes the lock anew.
#[derive(Debug)]
struct Keeper {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Held {
    repository: Repository,
    access: Access,
    options: LockOptions,
    /// Held while the lock is written anew, so that nobody looks for the old file meanwhile.
    current: tokio::sync::Mutex<Written>,
}

/// A lock file of this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub id: Id,
    /// Not later than what the file says: others go by that, however long it took to be written.
    pub at: Timestamp,
}

/// The fence of a lock, for tasks that outlive a borrow of it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Fence(Option<Arc<Held>>);

impl Fence {
    /// As [`Lock::verify`].
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], or the storage's.
    pub async fn verify(&self) -> Result<()> {
        match &self.0 {
            Some(held) => held.verify().await,
            None => Ok(()),
        }
    }
}

/// Pause after a refresh that failed.
const RETRY_AFTER: Duration = Duration::from_secs(30);

impl Lock {
    /// No lock: for readers that could not or did not want to take one.
    pub(super) fn none() -> Self {
        Self {
            held: None,
            keeper: None,
            met_dead: false,
        }
    }

    pub(super) fn keep(
        repository: &Repository,
        access: Access,
        options: &LockOptions,
        written: Written,
        met_dead: bool,
    ) -> Self {
        let held = Arc::new(Held {
            repository: repository.clone(),
            access,
            options: options.clone(),
            current: tokio::sync::Mutex::new(written),
        });
        let stop = CancellationToken::new();
        let task = tokio::spawn(refresh_until(Arc::clone(&held), stop.clone()));
        Self {
            held: Some(held),
            keeper: Some(Keeper { stop, task }),
            met_dead,
        }
    }

    /// Whether there is a lock at all; readers may have none.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether nobody else can hold one.
    pub fn is_exclusive(&self) -> bool {
        let access = self.held.as_ref().map(|held| held.access);
        access == Some(Access::Exclusive)
    }

    /// Whether a lock of a provably dead process was removed on the way: it may have left packs that no index names.
    pub fn met_dead(&self) -> bool {
        self.met_dead
    }

    /// The fence: fails if this process has lost its right. Call it before a snapshot is published and before
    /// anything is deleted.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`] if the lock is gone, or if it grew stale (this process slept) and another process has
    /// begun what it excludes.
    pub async fn verify(&self) -> Result<()> {
        self.fence().verify().await
    }

    /// The same, where the last look was a moment ago unless this process has slept since: asks the storage only if the
    /// clock says so. For each of many deletions in a row.
    ///
    /// # Errors
    /// As [`Lock::verify`].
    pub async fn verify_if_slept(&self) -> Result<()> {
        match &self.held {
            Some(held) if held.has_slept().await => held.verify().await,
            _ => Ok(()),
        }
    }

    /// The fence alone.
    pub fn fence(&self) -> Fence {
        Fence(self.held.clone())
    }

    /// Gives the lock up.
    pub async fn release(mut self) -> Result<()> {
        if let Some(keeper) = self.keeper.take() {
            // Not aborted: a refresh under way would leave a file that nobody knows of.
            keeper.stop.cancel();
            let _ = keeper.task.await;
        }
        match self.held.take() {
            Some(held) => held.release().await,
            None => Ok(()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.stop.cancel();
        }
    }
}

async fn refresh_until(held: Arc<Held>, stop: CancellationToken) {
    let mut pause = REFRESH_AFTER;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        // A failure is not reported here: `verify` finds out before it can do harm.
        pause = if held.refresh(&mut *held.current.lock().await).await.is_ok() {
            REFRESH_AFTER
        } else {
            RETRY_AFTER
        };
    }
}

impl Held {
    async fn verify(&self) -> Result<()> {
        let mut current = self.current.lock().await;
        loop {
            if !self.is_old(&current) {
                self.require_file(&current.id).await?;
                // Between the question and the answer this process may have slept, and the answer is of before.
                if !self.is_old(&current) {
                    return Ok(());
                }
            }
            self.refresh(&mut current).await?;
            self.refuse_begun(current.id).await?;
        }
    }

    async fn has_slept(&self) -> bool {
        self.is_old(&*self.current.lock().await)
    }

    fn is_old(&self, written: &Written) -> bool {
        let age = self.options.clock.now().duration_since(written.at);
        // A clock that jumped back says nothing about the age: the lock is written anew then too.
        Duration::try_from(age).map_or(true, |age| age >= SLEPT_AFTER)
    }

    /// Fails if somebody has begun what this lock excludes.
    async fn refuse_begun(&self, own: Id) -> Result<()> {
        match self
            .repository
            .refuse_conflict(self.access, &self.options, Some(own))
            .await
        {
            Err(error) if error.kind() == ErrorKind::Locked => Err(Error::new(
                ErrorKind::LockLost,
                format!("this process slept past the life of its lock, and now {error}"),
            )),
            result => result.map(drop),
        }
    }

    /// Writes the lock anew. The old file must stand before and after the new one is written: if it is removed in
    /// between, whoever removed it did not see the new one.
    async fn refresh(&self, current: &mut Written) -> Result<()> {
        let old = current.id;
        self.require_file(&old).await?;
        let at = self.options.clock.now();
        let id = self
            .repository
            .write_lock(self.access, &self.options)
            .await?;
        if let Err(error) = self.require_file(&old).await {
            self.repository.delete_file(FileKind::Lock, &id).await?;
            return Err(error);
        }
        *current = Written { id, at };
        self.repository.delete_file(FileKind::Lock, &old).await
    }

    async fn require_file(&self, id: &Id) -> Result<()> {
        match self
            .repository
            .storage()
            .stat(&FileKind::Lock.path(id)?)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.kind == StorageKind::NotFound => Err(Error::new(
                ErrorKind::LockLost,
                format!(
                    "lock {} of this process was removed by somebody else",
                    id.short()
                ),
            )),
            Err(error) => Err(error).context(|| "check the lock"),
        }
    }

    async fn release(&self) -> Result<()> {
        let current = self.current.lock().await;
        self.repository
            .delete_file(FileKind::Lock, &current.id)
            .await
    }
}
