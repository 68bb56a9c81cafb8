//! Bringing what is whole in damaged packs to safety.
//!
//! The order: blobs that are whole are written to new packs, which are stored and indexed; new index files say nothing of
//! the damaged packs any more; all that is read back; the damaged packs are copied into the quarantine; old index files
//! are removed; damaged packs are removed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::change::{IndexChange, sizes};
use super::examine::{Examined, examine};
use super::salvage::salvage;
use crate::check::{AffectedSnapshot, Losses, find_affected};
use crate::file_kind::{FileEntry, FileKind};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexedBlob};
use crate::lock::Lock;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::{Marks, PackContents, is_damage, pack_shapes};
use crate::{Error, ErrorKind, Result};

/// Which packs are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacksToRepair {
    /// These.
    Named(Vec<Id>),
    /// Those that are not as long as the index says.
    WrongSize,
    /// All, by reading every byte.
    ReadAll,
}

/// A pack that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedPack {
    /// The pack.
    pub pack: Id,
    /// Blobs that are whole in it, and go to a new pack.
    pub whole: u64,
    /// Blobs that are not, with or without another copy.
    pub damaged: u64,
}

/// What a repair of packs would do.
pub struct PacksRepairPlan {
    /// The damaged packs.
    pub packs: Vec<DamagedPack>,
    /// Packs that were named and are what was written: they stay.
    pub sound: Vec<Id>,
    /// Blobs of which no whole copy is left anywhere.
    pub lost: Vec<(BlobKind, Id)>,
    /// The snapshots that these and all other losses touch, with some of the paths; oldest first.
    pub affected: Vec<AffectedSnapshot>,
    /// Damaged packs can be put aside; otherwise they stay where they are, and no index names them.
    pub has_quarantine: bool,
    pub(super) salvaged: Vec<(Id, Vec<PackedBlob>)>,
    change: IndexChange,
}

/// What a repair of packs did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PacksRepairReport {
    /// Blobs that were written to new packs.
    pub blobs_salvaged: u64,
    /// New packs.
    pub packs_written: u64,
    /// Damaged packs that went into the quarantine and were removed.
    pub packs_removed: u64,
    /// Damaged packs that could not be saved and were left where they are.
    pub left: Vec<Id>,
    /// Copies in the quarantine, index files among them.
    pub quarantined: Vec<String>,
}

impl PacksRepairPlan {
    /// Whether no pack is damaged.
    pub fn is_nothing(&self) -> bool {
        self.packs.is_empty()
    }
}

impl std::fmt::Debug for PacksRepairPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacksRepairPlan")
            .field("packs", &self.packs)
            .field("sound", &self.sound)
            .field("lost", &self.lost)
            .field("affected", &self.affected)
            .finish_non_exhaustive()
    }
}

/// Mebibytes of packs in memory at the same time.
const IN_FLIGHT_MIB: u32 = 256;

impl Repository {
    /// Finds out what is whole in damaged packs, and what is lost. Changes nothing. `paths_max` paths are listed at most.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] if an index file cannot be read: the index is repaired first. [`ErrorKind::NotFound`] for a
    /// named pack that does not exist; the storage's, [`ErrorKind::Cancelled`].
    pub async fn plan_repair_packs(
        &self,
        packs: &PacksToRepair,
        paths_max: usize,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<PacksRepairPlan> {
        let index = Arc::new(self.load_index(progress).await?);
        let stored = sizes(self.list(FileKind::Pack).await?);
        let files = choose(packs, &index, &stored)?;
        let examined = self.examine_all(&index, files, progress, cancel).await?;
        let mut plan = PacksRepairPlan {
            packs: Vec::new(),
            sound: Vec::new(),
            lost: Vec::new(),
            affected: Vec::new(),
            has_quarantine: self.has_quarantine(),
            salvaged: Vec::new(),
            change: IndexChange {
                index,
                stored,
                described: HashMap::new(),
                unreadable: Vec::new(),
            },
        };
        let mut damaged = Vec::new();
        for (file, pack) in examined {
            if !pack.is_damaged {
                plan.sound.push(file.id);
                continue;
            }
            plan.change.described.insert(file.id, Vec::new());
            plan.packs.push(DamagedPack {
                pack: file.id,
                whole: pack.whole.len() as u64,
                damaged: pack.lost.len() as u64,
            });
            damaged.extend(pack.lost.iter().map(|blob| (file.id, *blob)));
            plan.salvaged.push((file.id, pack.whole));
        }
        if !matches!(packs, PacksToRepair::Named(_)) {
            plan.sound.clear();
        }
        self.find_losses(&mut plan, &damaged).await?;
        if !plan.lost.is_empty() {
            plan.affected = self.affected_by(&plan, paths_max, progress, cancel).await?;
        }
        Ok(plan)
    }

    async fn examine_all(
        &self,
        index: &Index,
        files: Vec<FileEntry>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Vec<(FileEntry, Examined)>> {
        progress.begin(Phase::ReadData);
        progress.add_total(Amount {
            items: files.len() as u64,
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            ..Amount::default()
        });
        progress.total_known();
        let numbers = index.packs().iter().enumerate();
        let numbers: HashMap<&Id, usize> = numbers.map(|(number, id)| (id, number)).collect();
        let wanted: HashSet<Id> = files.iter().map(|file| file.id).collect();
        let contents = PackContents::new(index, |_, _, pack| {
            let id = index.packs().get(pack as usize);
            id.is_some_and(|id| wanted.contains(id))
        })?;
        let budget = Arc::new(Semaphore::new(IN_FLIGHT_MIB as usize));
        let connections = self.storage().capabilities().connections;
        let at_once = connections.max(self.workers().threads()).max(1);
        let mut examined = stream::iter(files)
            .map(|file| {
                let number = numbers.get(&file.id);
                let blobs = number.map(|number| contents.blobs(index, *number));
                let blobs: Vec<PackedBlob> =
                    blobs.iter().flatten().map(IndexedBlob::packed).collect();
                let budget = Arc::clone(&budget);
                async move {
                    let mebibytes = u32::try_from(file.size_bytes >> 20).unwrap_or(u32::MAX);
                    let _permit = budget
                        .acquire_many_owned(mebibytes.saturating_add(1).min(IN_FLIGHT_MIB))
                        .await
                        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
                    Ok::<_, Error>((file, examine(self, file, &blobs).await?))
                }
            })
            .buffer_unordered(at_once);
        let mut all = Vec::new();
        while let Some((file, mut pack)) = examined.try_next().await? {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            progress.advance(Amount {
                items: 1,
                bytes: file.size_bytes,
                ..Amount::default()
            });
            if !pack.is_damaged {
                // Nobody asks what is in it: memory is bounded by the damage.
                pack = Examined::default();
            }
            all.push((file, pack));
        }
        all.sort_unstable_by_key(|(file, _)| file.id);
        Ok(all)
    }

    /// Of the blobs that are damaged in their packs those that are whole in none.
    async fn find_losses(
        &self,
        plan: &mut PacksRepairPlan,
        damaged: &[(Id, PackedBlob)],
    ) -> Result<()> {
        let salvaged = plan.salvaged.iter().flat_map(|(_, blobs)| blobs);
        let salvaged: HashSet<(BlobKind, Id)> = salvaged.map(|blob| (blob.kind, blob.id)).collect();
        let mut seen = HashSet::new();
        for (_, blob) in damaged {
            let name = (blob.kind, blob.id);
            if salvaged.contains(&name) || !seen.insert(name) {
                continue;
            }
            if !self.is_whole_elsewhere(&plan.change, blob).await? {
                plan.lost.push(name);
            }
        }
        plan.lost
            .sort_unstable_by_key(|(kind, id)| (kind.to_string(), *id));
        Ok(())
    }

    async fn is_whole_elsewhere(&self, change: &IndexChange, blob: &PackedBlob) -> Result<bool> {
        for place in change.index.locate_all(blob.kind, &blob.id) {
            if change.described.contains_key(&place.pack) {
                continue;
            }
            match self.load_blob_at(blob.kind, &blob.id, &place).await {
                Ok(_) => return Ok(true),
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn affected_by(
        &self,
        plan: &PacksRepairPlan,
        paths_max: usize,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Vec<AffectedSnapshot>> {
        let index = Arc::clone(&plan.change.index);
        let damaged = Marks::new(&index);
        for (kind, id) in &plan.lost {
            for location in index.locate_all(*kind, id) {
                let (kind, id) = (*kind, *id);
                damaged.mark_record(&index, &IndexedBlob { kind, id, location });
            }
        }
        let (snapshots, _) = self.load_snapshots_tolerant(progress).await?;
        let losses = Arc::new(Losses {
            index,
            damaged: Arc::new(damaged),
        });
        find_affected(self, &losses, &snapshots, paths_max, progress, cancel).await
    }

    /// Carries out a plan. `lock` is this operation's exclusive lock.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the index has changed since; [`ErrorKind::Damaged`] if a blob that was whole is not any
    /// more, with nothing removed; [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storage's. Whenever it fails or is
    /// killed, what was found before is found after, and a new plan goes on from there.
    pub async fn repair_packs(
        &self,
        plan: PacksRepairPlan,
        now: Timestamp,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<PacksRepairReport> {
        let change = &plan.change;
        change.refuse_changed(self, lock, &[]).await?;
        if plan.is_nothing() {
            return Ok(PacksRepairReport::default());
        }
        let salvaged = salvage(self, &plan.salvaged, lock, progress, cancel).await?;
        let fresh = change.write(self, lock, progress).await?;
        change.confirm(self, &fresh, &salvaged.indexes).await?;
        let mut report = PacksRepairReport {
            blobs_salvaged: salvaged.blobs,
            packs_written: salvaged.packs.len() as u64,
            ..PacksRepairReport::default()
        };
        let mut saved = Vec::new();
        for pack in &plan.packs {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let name = match plan.has_quarantine {
                true => self.save_damaged(FileKind::Pack, &pack.pack, now).await?,
                false => None,
            };
            match name {
                Some(name) => {
                    report.quarantined.push(name);
                    saved.push(pack.pack);
                }
                None => report.left.push(pack.pack),
            }
        }
        let all: Vec<Id> = fresh.iter().chain(&salvaged.indexes).copied().collect();
        change.refuse_changed(self, lock, &all).await?;
        let changed = change
            .remove_old(self, fresh, now, lock, progress, cancel)
            .await?;
        report.quarantined.extend(changed.quarantined);
        progress.begin(Phase::DeletePacks);
        report.packs_removed = self
            .remove_all(FileKind::Pack, &saved, lock, progress, cancel)
            .await?;
        Ok(report)
    }
}

fn choose(
    packs: &PacksToRepair,
    index: &Index,
    stored: &HashMap<Id, u64>,
) -> Result<Vec<FileEntry>> {
    let file = |id: &Id| {
        stored.get(id).map(|size| FileEntry {
            id: *id,
            size_bytes: *size,
        })
    };
    let mut files: Vec<FileEntry> = match packs {
        PacksToRepair::Named(ids) => ids
            .iter()
            .map(|id| {
                file(id).ok_or_else(|| {
                    let message = format!("there is no pack {id}");
                    Error::new(ErrorKind::NotFound, message)
                })
            })
            .collect::<Result<_>>()?,
        PacksToRepair::ReadAll => index.packs().iter().filter_map(file).collect(),
        PacksToRepair::WrongSize => {
            let packs = index.packs().iter().zip(pack_shapes(index));
            packs
                .filter(|(id, shape)| {
                    stored
                        .get(id)
                        .is_some_and(|size| *size != shape.size_bytes())
                })
                .filter_map(|(id, _)| file(id))
                .collect()
        }
    };
    files.sort_unstable_by_key(|file| file.id);
    files.dedup();
    Ok(files)
}
