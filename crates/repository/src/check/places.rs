//! Checking the small files: config, keys, locks.

use strongroom_storage::Class;

use super::finding::FindingKind;
use super::report::Findings;
use crate::file_kind::config_path;
use crate::format::{Config, Lock};
use crate::lock::LockOptions;
use crate::repository::Repository;
use crate::{Error, Result};

/// The configuration as it lies in the storage must be what this process opened the repository with.
pub(super) async fn check_config(repository: &Repository, findings: &Findings) -> Result<()> {
    let stored = match repository
        .storage()
        .read(&config_path()?, None, Class::Metadata)
        .await
    {
        Ok(stored) => stored,
        Err(error) if error.kind == strongroom_storage::ErrorKind::NotFound => {
            findings.add(FindingKind::Config, "the file config is missing");
            return Ok(());
        }
        Err(error) => return Err(Error::from(error).context("read config")),
    };
    let config = repository
        .master()
        .open(&stored)
        .map_err(Error::from)
        .and_then(|plain| Config::decode(&plain).map_err(Error::from));
    match config {
        Ok(config) if config == *repository.config() => {}
        Ok(_) => findings.add(
            FindingKind::Config,
            "the file config is another than when the repository was opened",
        ),
        Err(error) => findings.add(
            FindingKind::Config,
            format!("the file config cannot be read: {error}"),
        ),
    }
    Ok(())
}

/// Every key file must be readable; whether its password opens it cannot be known.
pub(super) async fn check_keys(repository: &Repository, findings: &Findings) -> Result<()> {
    for key in repository.list_keys().await? {
        if let Err(error) = key.file {
            let message = format!("key {} cannot be read: {error}", key.id.short());
            findings.add(FindingKind::Key { key: key.id }, message);
        }
    }
    Ok(())
}

/// Notes stale locks; returns whether another process works with the repository.
pub(super) async fn check_locks(
    repository: &Repository,
    options: &LockOptions,
    findings: &Findings,
) -> Result<bool> {
    let own = options.host.identity();
    let is_own = |file: &Lock| {
        file.hostname == own.hostname
            && file.pid == i64::from(own.pid)
            && file.process == own.process
    };
    let mut shared = false;
    for lock in repository.find_locks(options).await? {
        match &lock.file {
            Err(error) => {
                let message = format!("lock {} cannot be read: {error}", lock.id.short());
                findings.add(FindingKind::LockUnreadable { lock: lock.id }, message);
            }
            Ok(_) if lock.is_stale => {
                let message = format!(
                    "the repository is locked {}",
                    lock.describe(options.clock.now())
                );
                findings.add(FindingKind::LockStale { lock: lock.id }, message);
            }
            Ok(file) => shared |= !is_own(file),
        }
    }
    Ok(shared)
}
