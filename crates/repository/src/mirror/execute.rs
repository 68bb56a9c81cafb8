//! Making a mirror the same.

use futures::stream::{self, StreamExt};
use serde::Serialize;
use strongroom_storage::{Class, ErrorKind as StorageKind, Storage, StoragePath, WriteMode};
use tokio_util::sync::CancellationToken;

use super::plan::{MirrorPlan, Removal, Transfer, at_once, is_of_the_file};
use super::same::Mirror;
use crate::error::Context;
use crate::file_kind::config_path;
use crate::lock::Lock;
use crate::progress::{Amount, Phase, Progress};
use crate::{Error, Result};

/// Files that are removed before the lock is looked at again.
const REMOVED_AT_ONCE: usize = 256;

/// A file that was not mirrored, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotMirrored {
    /// Its name.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MirrorReport {
    /// Files that were copied.
    pub files_copied: u64,
    /// Their bytes.
    pub bytes_copied: u64,
    /// Files that were removed from the mirror.
    pub files_removed: u64,
    /// Files that the plan would have removed and that stayed, since not all could be copied.
    pub removals_left: u64,
    /// Files that could not be copied; in the order in which that was found.
    pub not_mirrored: Vec<NotMirrored>,
}

impl MirrorReport {
    /// Whether the mirror is what the plan wanted it to be.
    pub fn is_complete(&self) -> bool {
        self.not_mirrored.is_empty()
    }
}

/// What became of one file.
enum Copied {
    Bytes(u64),
    Not(NotMirrored),
}

impl Mirror {
    /// Carries out a plan: copies part by part, looks whether the mirror has all of it, and then removes.
    ///
    /// `source_lock` and `target_lock` are those under which the plan was made. What cannot be copied because it is damaged or
    /// gone in the repository is in the report, and then nothing is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] where the mirror does not have what it said it had stored; [`ErrorKind::LockLost`],
    /// [`ErrorKind::Cancelled`]; the storages'. What was copied until then stays, and the next run goes on from there.
    pub async fn execute(
        &self,
        plan: MirrorPlan,
        source_lock: &Lock,
        target_lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<MirrorReport> {
        progress.begin(Phase::Copy);
        progress.add_total(Amount {
            items: plan.transfers.len() as u64,
            bytes: plan.transfers.iter().map(|it| it.file.size_bytes).sum(),
            ..Amount::default()
        });
        progress.total_known();
        let mut report = MirrorReport::default();
        if plan.replaces_config {
            self.replace_config(target_lock).await?;
        }
        for transfers in plan.transfers.chunk_by(|a, b| a.part == b.part) {
            source_lock.verify().await?;
            target_lock.verify().await?;
            self.copy(transfers, &mut report, progress, cancel).await?;
            self.confirm(transfers, &report).await?;
        }
        if !report.is_complete() {
            report.removals_left = plan.removals.len() as u64;
            return Ok(report);
        }
        // The opposite of the order in which files appear: what needs a file goes before it. That is how they were planned.
        progress.begin(Phase::DeleteFiles);
        for removals in plan.removals.chunk_by(|a, b| a.part == b.part) {
            self.remove(removals, target_lock, &mut report, progress, cancel)
                .await?;
            self.confirm_removed(removals).await?;
        }
        Ok(report)
    }

    async fn replace_config(&self, lock: &Lock) -> Result<()> {
        lock.verify().await?;
        let (path, config) = (config_path()?, self.config.clone());
        let storage = self.target.storage();
        storage
            .write(&path, config, WriteMode::Replace, Class::Metadata)
            .await
            .context(|| "replace config")
    }

    /// Copies files of one part, in any order.
    async fn copy(
        &self,
        transfers: &[Transfer],
        report: &mut MirrorReport,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let mut running = stream::iter(transfers)
            .map(|transfer| self.copy_file(transfer))
            .buffer_unordered(at_once(&**self.target.storage()));
        while let Some(copied) = running.next().await {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let bytes = match copied? {
                Copied::Bytes(bytes) => {
                    report.files_copied = report.files_copied.saturating_add(1);
                    report.bytes_copied = report.bytes_copied.saturating_add(bytes);
                    bytes
                }
                Copied::Not(file) => {
                    progress.entry_error(file.path.as_bytes(), "mirror", &file.reason);
                    report.not_mirrored.push(file);
                    0
                }
            };
            progress.advance(Amount {
                items: 1,
                bytes,
                ..Amount::default()
            });
        }
        Ok(())
    }

    async fn copy_file(&self, transfer: &Transfer) -> Result<Copied> {
        let (part, path) = (transfer.part, &transfer.file.path);
        let content = match self.source.storage().read(path, None, part.class()).await {
            Ok(content) => content,
            Err(error) if is_of_the_file(error.kind) => {
                return Ok(not_mirrored(path, error.message));
            }
            Err(error) => return Err(error).context(|| format!("read {path}")),
        };
        let workers = self.source.workers();
        let (name, hashed) = (path.clone(), content.clone());
        let is_whole = workers
            .run_beside(move || part.is_whole(&name, &hashed))
            .await?;
        if !is_whole {
            return Ok(not_mirrored(path, "its content does not match its name"));
        }
        let mode = match transfer.is_replaced {
            true => WriteMode::Replace,
            false => WriteMode::New,
        };
        let bytes = content.len() as u64;
        let target = self.target.storage();
        match target.write(path, content, mode, part.class()).await {
            // Somebody who works in the mirror has stored it meanwhile.
            Err(error) if error.kind == StorageKind::AlreadyExists && part.kind().is_some() => {}
            written => written.context(|| format!("store {path} in the mirror"))?,
        }
        Ok(Copied::Bytes(bytes))
    }

    /// Looks whether the files of a part lie in the mirror in their full lengths, before anything is stored that needs
    /// them (stories T-21, T-34).
    async fn confirm(&self, transfers: &[Transfer], report: &MirrorReport) -> Result<()> {
        let Some(part) = transfers.first().map(|transfer| transfer.part) else {
            return Ok(());
        };
        let target = self.target.storage();
        let listed = part.list(&**target).await?;
        for transfer in transfers {
            let file = &transfer.file;
            let found = listed.binary_search_by(|there| there.path.cmp(&file.path));
            let size_bytes = found
                .ok()
                .and_then(|at| listed.get(at))
                .map(|it| it.size_bytes);
            let is_known = || {
                report
                    .not_mirrored
                    .iter()
                    .any(|it| it.path == file.path.as_str())
            };
            if size_bytes == Some(file.size_bytes) || is_known() {
                continue;
            }
            let has = match size_bytes {
                Some(bytes) => format!("with {bytes} instead of {} bytes", file.size_bytes),
                None => "not at all".to_owned(),
            };
            return Err(Error::damaged(format!(
                "{} has said that {} is stored, and has it {has}",
                target.location(),
                file.path
            )));
        }
        Ok(())
    }

    /// Removes files of one part from the mirror.
    async fn remove(
        &self,
        removals: &[Removal],
        lock: &Lock,
        report: &mut MirrorReport,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let target = &**self.target.storage();
        for some in removals.chunks(REMOVED_AT_ONCE) {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            lock.verify().await?;
            let mut running = stream::iter(some)
                .map(|removal| async move {
                    lock.verify_if_slept().await?;
                    remove_file(target, &removal.path).await
                })
                .buffer_unordered(target.capabilities().connections.max(1));
            while let Some(removed) = running.next().await {
                removed?;
                report.files_removed = report.files_removed.saturating_add(1);
                progress.advance(Amount {
                    items: 1,
                    ..Amount::default()
                });
            }
        }
        Ok(())
    }

    /// Looks whether files of a part are gone, before anything goes that they need: a storage that had kept a snapshot and
    /// lost its packs would leave one that cannot be restored (story T-34).
    async fn confirm_removed(&self, removals: &[Removal]) -> Result<()> {
        let Some(part) = removals.first().map(|removal| removal.part) else {
            return Ok(());
        };
        let target = self.target.storage();
        let listed = part.list(&**target).await?;
        let is_there = |path: &StoragePath| {
            listed
                .binary_search_by(|there| there.path.cmp(path))
                .is_ok()
        };
        match removals.iter().find(|removal| is_there(&removal.path)) {
            None => Ok(()),
            Some(kept) => Err(Error::damaged(format!(
                "{} has said that {} is removed, and has it still",
                target.location(),
                kept.path
            ))),
        }
    }
}

async fn remove_file(storage: &dyn Storage, path: &StoragePath) -> Result<()> {
    match storage.delete(path).await {
        Err(error) if error.kind == StorageKind::NotFound => Ok(()),
        removed => removed.context(|| format!("remove {path} from the mirror")),
    }
}

fn not_mirrored(path: &StoragePath, reason: impl Into<String>) -> Copied {
    Copied::Not(NotMirrored {
        path: path.as_str().to_owned(),
        reason: reason.into(),
    })
}
