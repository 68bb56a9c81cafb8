//! The locks that stand in a repository, and removing those of the dead.

use std::time::Duration;

use jiff::Timestamp;

use super::acquire::LockOptions;
use super::{REFRESH_AFTER, STALE_AFTER};
use crate::file_kind::FileKind;
use crate::format::{self, Id};
use crate::repository::Repository;
use crate::{ErrorKind, Result};

/// A lock that stands in a repository.
#[derive(Debug, Clone)]
pub struct FoundLock {
    /// Its file.
    pub id: Id,
    /// What it says; the reason as text if it cannot be read.
    pub file: std::result::Result<format::Lock, String>,
    /// Its holder is provably dead.
    pub is_dead: bool,
    /// Nobody has written it anew for thirty minutes, or its holder is provably dead.
    pub is_stale: bool,
}

/// What an unlock did.
#[derive(Debug, Clone, Default)]
pub struct Unlocked {
    /// Locks that were removed.
    pub removed: Vec<FoundLock>,
    /// Locks that were left since their holder may live.
    pub left: Vec<FoundLock>,
}

impl FoundLock {
    /// A lock that cannot be read may be anything, an exclusive one too.
    pub(super) fn excludes_others(&self) -> bool {
        self.file.as_ref().map_or(true, |file| file.exclusive)
    }

    /// `exclusively by PID 12 on host by user, since 2026-01-02 03:04:05 (stale)`
    pub fn describe(&self, now: Timestamp) -> String {
        let file = match &self.file {
            Ok(file) => file,
            Err(error) => {
                return format!("by lock {}, which cannot be read: {error}", self.id.short());
            }
        };
        let how = if file.exclusive { "exclusively " } else { "" };
        let age = age(file, now).as_secs() / 60;
        let stale = if self.is_stale {
            "; the lock is stale"
        } else {
            ""
        };
        format!(
            "{how}by PID {} on {} by {}, last written {} ({age} min ago{stale}; lock {})",
            file.pid,
            file.hostname,
            file.username,
            file.time,
            self.id.short()
        )
    }
}

/// How long ago the lock was written; zero for one from the future.
fn age(file: &format::Lock, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(file.time.instant())).unwrap_or_default()
}

impl Repository {
    /// All locks, the ones of this process among them.
    pub async fn find_locks(&self, options: &LockOptions) -> Result<Vec<FoundLock>> {
        let mut locks = Vec::new();
        for entry in self.list(FileKind::Lock).await? {
            let file = match self.load_lock(&entry.id).await {
                Ok(file) => Ok(file),
                // Its holder has removed it since the listing.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) if error.kind() == ErrorKind::Damaged => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            let is_dead = file.as_ref().is_ok_and(|file| options.host.is_dead(file));
            let is_old = file
                .as_ref()
                .is_ok_and(|file| age(file, options.clock.now()) > STALE_AFTER);
            locks.push(FoundLock {
                id: entry.id,
                file,
                is_dead,
                is_stale: is_dead || is_old,
            });
        }
        Ok(locks)
    }

    async fn load_lock(&self, id: &Id) -> Result<format::Lock> {
        Ok(format::Lock::decode(
            &self.load_file(FileKind::Lock, id).await?,
        )?)
    }

    /// Removes stale locks, or all of them.
    ///
    /// Removing a lock whose holder lives is dangerous: a backup beside a prune loses data if either is not fenced.
    pub async fn unlock(&self, options: &LockOptions, all: bool) -> Result<Unlocked> {
        let mut result = Unlocked::default();
        for lock in self.find_locks(options).await? {
            if all || lock.is_stale {
                self.delete_file(FileKind::Lock, &lock.id).await?;
                result.removed.push(lock);
            } else {
                result.left.push(lock);
            }
        }
        Ok(result)
    }
}

const _: () = assert!(REFRESH_AFTER.as_secs() * 2 < STALE_AFTER.as_secs());
