//! Holding a lock: written anew while its process lives, checked before anything is published or deleted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strongroom_storage::ErrorKind as StorageKind;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::acquire::{Access, LockOptions};
use super::{REFRESH_AFTER, STALE_AFTER};
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
    current: tokio::sync::Mutex<Current>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    id: Id,
    written: Timestamp,
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
        id: Id,
        met_dead: bool,
    ) -> Self {
        let held = Arc::new(Held {
            repository: repository.clone(),
            access,
            options: options.clone(),
            current: tokio::sync::Mutex::new(Current {
                id,
                written: options.clock.now(),
            }),
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
        match &self.held {
            Some(held) => held.verify().await,
            None => Ok(()),
        }
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
        let now = self.options.clock.now();
        // A clock that jumped back says nothing about the age: the lock is written anew then too.
        let age = Duration::try_from(now.duration_since(current.written)).unwrap_or(STALE_AFTER);
        if age < STALE_AFTER {
            return self.require_file(&current.id).await;
        }
        self.refresh(&mut current).await?;
        match self
            .repository
            .refuse_conflict(self.access, &self.options, Some(current.id))
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
    async fn refresh(&self, current: &mut Current) -> Result<()> {
        let old = current.id;
        self.require_file(&old).await?;
        let written = self.options.clock.now();
        let id = self
            .repository
            .write_lock(self.access, &self.options)
            .await?;
        if let Err(error) = self.require_file(&old).await {
            self.repository.delete_file(FileKind::Lock, &id).await?;
            return Err(error);
        }
        *current = Current { id, written };
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
