//! What making a mirror the same would take.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::Serialize;
use strongroom_storage::{ErrorKind as StorageKind, FileInfo, Storage, StoragePath};
use tokio_util::sync::CancellationToken;

use super::part::Part;
use super::same::Mirror;
use crate::error::Context;
use crate::progress::{Amount, Phase, Progress};
use crate::{Error, ErrorKind, Result};

/// How a mirror is made the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MirrorOptions {
    /// Remove from the mirror what the repository has no more. Otherwise it stays.
    pub delete: bool,
    /// Read what both have on the mirror, too, and replace what is not what its name says.
    pub read_data: bool,
}

/// What would be done, in numbers. Files are whole files as they are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MirrorFigures {
    /// Files that both have.
    pub files_same: u64,
    /// Files that the mirror lacks.
    pub files_new: u64,
    /// Their bytes.
    pub bytes_new: u64,
    /// Files that the mirror has with another length or content.
    pub files_replaced: u64,
    /// Their bytes, as they will be.
    pub bytes_replaced: u64,
    /// Files that the mirror alone has, whether they are removed or not.
    pub files_extra: u64,
    /// Their bytes.
    pub bytes_extra: u64,
    /// Those of them that are removed.
    pub files_removed: u64,
    /// Snapshots among the new files.
    pub snapshots_new: u64,
    /// Snapshots among those that the mirror alone has.
    pub snapshots_extra: u64,
}

impl MirrorFigures {
    /// Whether the mirror stays as it is.
    pub fn is_nothing(&self) -> bool {
        self.files_new == 0 && self.files_replaced == 0 && self.files_removed == 0
    }
}

/// A file that is to come to the mirror.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub part: Part,
    pub file: FileInfo,
    /// The mirror has a file of that name that is to give way.
    pub is_replaced: bool,
}

/// A file that is to go from the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub(super) part: Part,
    /// Its name.
    pub path: StoragePath,
}

/// What would be done, with all that is needed to do it.
#[derive(Debug, Clone, Default)]
pub struct MirrorPlan {
    pub(super) figures: MirrorFigures,
    /// The configuration of the mirror is of another form and gives way.
    pub(super) replaces_config: bool,
    /// In the order of the parts.
    pub(super) transfers: Vec<Transfer>,
    pub(super) removals: Vec<Removal>,
}

impl MirrorPlan {
    /// What would be done, in numbers.
    pub fn figures(&self) -> &MirrorFigures {
        &self.figures
    }

    /// What would be removed.
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }
}

impl Mirror {
    /// Finds out what making the mirror the same would take. Changes nothing.
    ///
    /// The caller holds a lock of [`crate::lock::Access::Append`] on the repository, so that nobody removes files from it
    /// meanwhile. If the plan is to be carried out, it holds one on [`Mirror::target`] too, and of
    /// [`crate::lock::Access::Exclusive`] where files are removed: a backup that went straight into the mirror could
    /// build on them.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where every snapshot of the mirror would be removed; [`ErrorKind::Unsupported`] where the
    /// mirror cannot hold a folder that the repository uses; [`ErrorKind::Cancelled`]; the storages'.
    pub async fn plan(
        &self,
        options: &MirrorOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<MirrorPlan> {
        progress.begin(Phase::Scan);
        let mut planner = Planner::default();
        // The last part first: whatever a listed file needs was there before it, so a later listing has it.
        for part in Part::ALL.into_iter().rev() {
            let ours = part.list(&**self.source.storage()).await?;
            let theirs = match self.is_new() {
                true => Vec::new(),
                false => part.list(&**self.target.storage()).await?,
            };
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            self.require(part, &ours)?;
            if options.delete {
                refuse_empty(part, &ours, &theirs)?;
            }
            planner.compare(part, ours, theirs, options);
        }
        planner.configuration(self);
        let (source, target) = (&**self.source.storage(), &**self.target.storage());
        let looked_at = std::mem::take(&mut planner.looked_at);
        let read = stream::iter(looked_at)
            .map(|transfer| async {
                let differs = differs(source, target, &transfer).await?;
                Ok::<_, Error>((transfer, differs))
            })
            .buffer_unordered(at_once(target));
        planner.settle(read, progress, cancel).await?;
        let mut plan = planner.plan;
        plan.transfers.sort_by_key(|transfer| transfer.part);
        Ok(plan)
    }

    fn require(&self, part: Part, ours: &[FileInfo]) -> Result<()> {
        match part.own() {
            Some(own) if !ours.is_empty() => own.require(&**self.target.storage()),
            _ => Ok(()),
        }
    }
}

/// Files that are read at the same time; each is in memory whole, a pack has at most 128 MiB.
pub(super) fn at_once(storage: &dyn Storage) -> usize {
    storage.capabilities().connections.clamp(1, 4)
}

#[derive(Default)]
struct Planner {
    plan: MirrorPlan,
    /// Files of equal names and lengths of which more is to be known.
    looked_at: Vec<Transfer>,
}

impl Planner {
    fn compare(
        &mut self,
        part: Part,
        ours: Vec<FileInfo>,
        theirs: Vec<FileInfo>,
        options: &MirrorOptions,
    ) {
        let mut left: BTreeMap<StoragePath, u64> = theirs
            .into_iter()
            .map(|file| (file.path, file.size_bytes))
            .collect();
        for file in ours {
            let present = left.remove(&file.path);
            let transfer = Transfer {
                part,
                is_replaced: present.is_some(),
                file,
            };
            match present {
                Some(size_bytes) if size_bytes == transfer.file.size_bytes => {
                    let figures = &mut self.plan.figures;
                    figures.files_same = figures.files_same.saturating_add(1);
                    if options.read_data || part.is_rewritten() {
                        self.looked_at.push(transfer);
                    }
                }
                _ => self.transfer(transfer),
            }
        }
        let snapshots = (part == Part::Snapshots).then_some(left.len() as u64);
        let figures = &mut self.plan.figures;
        figures.snapshots_extra = snapshots.unwrap_or(figures.snapshots_extra);
        for (path, size_bytes) in left {
            add(
                &mut figures.files_extra,
                &mut figures.bytes_extra,
                size_bytes,
            );
            if options.delete {
                figures.files_removed = figures.files_removed.saturating_add(1);
                self.plan.removals.push(Removal { part, path });
            }
        }
    }

    fn transfer(&mut self, transfer: Transfer) {
        let figures = &mut self.plan.figures;
        let (files, bytes) = match transfer.is_replaced {
            true => (&mut figures.files_replaced, &mut figures.bytes_replaced),
            false => (&mut figures.files_new, &mut figures.bytes_new),
        };
        add(files, bytes, transfer.file.size_bytes);
        if transfer.part == Part::Snapshots && !transfer.is_replaced {
            figures.snapshots_new = figures.snapshots_new.saturating_add(1);
        }
        self.plan.transfers.push(transfer);
    }

    fn configuration(&mut self, mirror: &Mirror) {
        let figures = &mut self.plan.figures;
        let bytes = mirror.config.len() as u64;
        match &mirror.present {
            None => add(&mut figures.files_new, &mut figures.bytes_new, bytes),
            Some(present) if *present == mirror.config => {
                figures.files_same = figures.files_same.saturating_add(1);
            }
            Some(_) => {
                self.plan.replaces_config = true;
                add(
                    &mut figures.files_replaced,
                    &mut figures.bytes_replaced,
                    bytes,
                );
            }
        }
    }

    /// Takes up what turned out to differ.
    async fn settle(
        &mut self,
        read: impl Stream<Item = Result<(Transfer, bool)>>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let mut read = pin!(read);
        while let Some((transfer, differs)) = read.try_next().await? {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            progress.advance(Amount {
                items: 1,
                bytes: transfer.file.size_bytes,
                ..Amount::default()
            });
            if differs {
                let figures = &mut self.plan.figures;
                figures.files_same = figures.files_same.saturating_sub(1);
                self.transfer(transfer);
            }
        }
        Ok(())
    }
}

/// Whether the mirror's file of equal name and length has other content. What the name says is believed before what the
/// repository has.
async fn differs(source: &dyn Storage, target: &dyn Storage, transfer: &Transfer) -> Result<bool> {
    let (part, path) = (transfer.part, &transfer.file.path);
    let there = match target.read(path, None, part.class()).await {
        Err(error) if is_of_the_file(error.kind) => return Ok(true),
        read => read.context(|| format!("read {path} of the mirror"))?,
    };
    if part.kind().is_some() {
        return Ok(!part.is_whole(path, &there));
    }
    match source.read(path, None, part.class()).await {
        Ok(here) => Ok(here != there),
        // It comes to light when it is to be copied.
        Err(error) if error.kind == StorageKind::NotFound => Ok(true),
        Err(error) => Err(error).context(|| format!("read {path}")),
    }
}

/// Whether an error says something of one file (gone since it was listed, lying on a bad sector) and not of the storage.
pub(super) const fn is_of_the_file(kind: StorageKind) -> bool {
    matches!(
        kind,
        StorageKind::NotFound | StorageKind::Mismatch | StorageKind::RangeOutside | StorageKind::Io
    )
}

/// A repository that has lost all its snapshots is no model for anything.
fn refuse_empty(part: Part, ours: &[FileInfo], theirs: &[FileInfo]) -> Result<()> {
    if part != Part::Snapshots || !ours.is_empty() || theirs.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!(
            "the repository has no snapshots and its mirror has {}: all of them would be removed",
            theirs.len()
        ),
    ))
}

fn add(files: &mut u64, bytes: &mut u64, size_bytes: u64) {
    *files = files.saturating_add(1);
    *bytes = bytes.saturating_add(size_bytes);
}
