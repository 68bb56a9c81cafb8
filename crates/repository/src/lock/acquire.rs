//! Taking a lock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strongroom_storage::ErrorKind as StorageKind;
use tokio_util::sync::CancellationToken;

use super::host::Host;
use super::keep::{Lock, Written};
use super::stale::FoundLock;
use crate::clock::Clock;
use crate::file_kind::FileKind;
use crate::format::{self, Id, Time};
use crate::own_files::OwnFolder;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// What an operation does, and so what it excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads. Takes a shared lock, so that a prune that starts later waits. But a reader itself never waits and never
    /// fails for a lock: where the repository is locked exclusively or cannot be written, it goes on without one.
    Read,
    /// Adds files that nothing refers to yet (backup, copy, a new key). Excludes what deletes.
    Append,
    /// Deletes or replaces. Excludes everything else.
    Exclusive,
}

/// How locks are taken and kept.
#[derive(Debug, Clone)]
pub struct LockOptions {
    /// Who and where we are.
    pub host: Arc<dyn Host>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Try again for so long while another process holds a lock; zero fails at once.
    pub retry_for: Duration,
    /// Take no lock at all (`--no-lock`): for reading from storages that nobody writes to.
    pub disabled: bool,
}

/// First and longest pause between two attempts.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);

impl Repository {
    /// Takes a lock.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] names the holder, since when, and whether it is stale; [`ErrorKind::Cancelled`];
    /// [`ErrorKind::Unsupported`] where what is to be written has to be signed and the storage cannot hold signatures.
    pub async fn lock(
        &self,
        access: Access,
        options: &LockOptions,
        cancel: &CancellationToken,
    ) -> Result<Lock> {
        if access != Access::Read && self.signer().is_some() {
            // Whatever is published or removed under this lock is signed, or nothing is done at all.
            self.require_own_folders(OwnFolder::Signatures)?;
        }
        if options.disabled {
            return Ok(Lock::none());
        }
        let mut waited = Duration::ZERO;
        let mut pause = PAUSE_FIRST;
        loop {
            let error = match self.try_lock(access, options).await {
                Err(error) if error.kind() == ErrorKind::Locked => error,
                Err(error) if access == Access::Read && cannot_write(&error) => {
                    return Ok(Lock::none());
                }
                result => return result,
            };
            if access == Access::Read {
                return Ok(Lock::none());
            }
            let left = options.retry_for.saturating_sub(waited);
            if left.is_zero() {
                return Err(error);
            }
            let step = pause.min(left);
            tokio::select! {
                () = cancel.cancelled() => return Err(Error::cancelled()),
                () = tokio::time::sleep(step) => {}
            }
            waited = waited.saturating_add(step);
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    /// One attempt: look, write, look again. Two processes that write at once both see the other in their second look
    /// and at least one of them gives up; a lock is never held by two that exclude each other.
    async fn try_lock(&self, access: Access, options: &LockOptions) -> Result<Lock> {
        let met_dead = self.refuse_conflict(access, options, None).await?;
        let at = options.clock.now();
        let id = self.write_lock(access, options).await?;
        match self.refuse_conflict(access, options, Some(id)).await {
            Ok(_) => {
                let written = Written { id, at };
                Ok(Lock::keep(self, access, options, written, met_dead))
            }
            Err(error) => {
                self.delete_file(FileKind::Lock, &id).await?;
                Err(error)
            }
        }
    }

    /// Fails if another process holds a lock that excludes this access. Removes those of the provably dead, and tells
    /// whether there was one.
    pub(super) async fn refuse_conflict(
        &self,
        access: Access,
        options: &LockOptions,
        own: Option<Id>,
    ) -> Result<bool> {
        let mut met_dead = false;
        for lock in self.find_locks(options).await? {
            if Some(lock.id) == own {
                continue;
            }
            if lock.is_dead {
                self.delete_file(FileKind::Lock, &lock.id).await?;
                met_dead = true;
            } else if access == Access::Exclusive || lock.excludes_others() {
                return Err(conflict(&lock, options.clock.now()));
            }
        }
        Ok(met_dead)
    }

    pub(super) async fn write_lock(&self, access: Access, options: &LockOptions) -> Result<Id> {
        let identity = options.host.identity();
        let file = format::Lock {
            time: Time::utc(options.clock.now()),
            exclusive: access == Access::Exclusive,
            hostname: identity.hostname,
            username: identity.username,
            pid: i64::from(identity.pid),
            uid: identity.uid,
            gid: identity.gid,
            process: identity.process,
        };
        self.save_file(FileKind::Lock, file.encode()).await
    }
}

fn cannot_write(error: &Error) -> bool {
    error.storage().is_some_and(|error| {
        matches!(
            error.kind,
            StorageKind::ReadOnly | StorageKind::PermissionDenied | StorageKind::NoSpace
        )
    })
}

fn conflict(lock: &FoundLock, now: Timestamp) -> Error {
    Error::new(
        ErrorKind::Locked,
        format!("the repository is locked {}", lock.describe(now)),
    )
}
