//! Making the index agree with the packs that are there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use strongroom_storage::ErrorKind as StorageKind;
use tokio_util::sync::CancellationToken;

use super::change::{IndexChange, sizes};
use super::examine::examine;
use crate::error::Context;
use crate::file_kind::{FileEntry, FileKind};
use crate::format::Id;
use crate::format::pack_header::PackedBlob;
use crate::index::{Index, IndexedBlob};
use crate::lock::Lock;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::{PackContents, is_damage, pack_shapes};
use crate::{Error, ErrorKind, Result};

/// How the index is repaired.
#[derive(Debug, Clone, Copy, Default)]
pub struct IndexRepairOptions {
    /// Compare the header of every pack with the index, not only of those whose size differs.
    pub read_all_packs: bool,
}

/// A pack of which the index says something else than what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redescribed {
    /// The pack.
    pub pack: Id,
    /// Its size by the index.
    pub expected_bytes: u64,
    /// Its size.
    pub actual_bytes: u64,
    /// Blobs in it that are whole: what the index will name.
    pub whole: u64,
    /// Blobs that header or index name, and that are not in it.
    pub lost: u64,
    /// The pack is not what was written: a repair of packs would bring what is whole in it to safety.
    pub is_damaged: bool,
}

/// What a repair of the index would do.
pub struct IndexRepairPlan {
    /// Packs that the index names and that do not exist.
    pub missing: Vec<Id>,
    /// Packs that no index file names.
    pub found: Vec<Id>,
    /// Packs that the index describes wrongly, or that are not what was written.
    pub redescribed: Vec<Redescribed>,
    /// Index files that cannot be read, and why.
    pub unreadable_indexes: Vec<(Id, String)>,
    /// Packs that no index file names and whose header cannot be read: what is in them is not known.
    pub unreadable_packs: Vec<(Id, String)>,
    /// Blobs that will be in no index any more, since no pack has them whole.
    pub blobs_lost: u64,
    change: IndexChange,
}

/// What a repair of the index did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexRepairReport {
    /// New index files.
    pub indexes_written: u64,
    /// Index files that were removed, with those that went into the quarantine.
    pub indexes_removed: u64,
    /// Copies in the quarantine.
    pub quarantined: Vec<String>,
    /// Damaged index files that could not be saved and were left where they are.
    pub left: Vec<Id>,
}

impl IndexRepairPlan {
    /// Whether the index agrees with the packs.
    pub fn is_nothing(&self) -> bool {
        self.change.is_nothing()
    }

    /// Whether something remains lost or damaged when the plan has been carried out.
    pub fn leaves_damage(&self) -> bool {
        self.blobs_lost > 0
            || !self.unreadable_packs.is_empty()
            || self.redescribed.iter().any(|pack| pack.is_damaged)
    }
}

impl std::fmt::Debug for IndexRepairPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexRepairPlan")
            .field("missing", &self.missing)
            .field("found", &self.found)
            .field("redescribed", &self.redescribed)
            .field("unreadable_indexes", &self.unreadable_indexes)
            .field("unreadable_packs", &self.unreadable_packs)
            .field("blobs_lost", &self.blobs_lost)
            .finish_non_exhaustive()
    }
}

/// What looking at a pack came to.
enum Verdict {
    Agrees,
    Found(Vec<PackedBlob>),
    Unreadable(String),
    Redescribed(Redescribed, Option<Vec<PackedBlob>>),
}

impl Repository {
    /// Finds out how the index differs from the packs. Changes nothing. The caller holds the exclusive lock if the plan is
    /// to be carried out, one of [`crate::lock::Access::Read`] otherwise.
    ///
    /// # Errors
    /// The storage's, [`ErrorKind::Cancelled`]. Damage is no error.
    pub async fn plan_repair_index(
        &self,
        options: IndexRepairOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<IndexRepairPlan> {
        let (index, unreadable) = self.load_index_tolerant(progress).await?;
        let index = Arc::new(index);
        let stored = sizes(self.list(FileKind::Pack).await?);
        let mut plan = IndexRepairPlan {
            missing: self.missing_packs(&index, &stored).await?,
            found: Vec::new(),
            redescribed: Vec::new(),
            unreadable_packs: Vec::new(),
            blobs_lost: 0,
            change: IndexChange {
                index: Arc::clone(&index),
                stored,
                described: HashMap::new(),
                unreadable: unreadable.iter().map(|(id, _)| *id).collect(),
            },
            unreadable_indexes: unreadable
                .into_iter()
                .map(|(id, error)| (id, error.to_string()))
                .collect(),
        };
        for pack in &plan.missing {
            plan.change.described.insert(*pack, Vec::new());
        }
        self.look_at_packs(&mut plan, options, progress, cancel)
            .await?;
        plan.sort();
        plan.blobs_lost = plan.change.blobs_lost();
        Ok(plan)
    }

    /// Packs that the index names and that neither the listing shows nor the storage finds.
    pub(super) async fn missing_packs(
        &self,
        index: &Index,
        stored: &HashMap<Id, u64>,
    ) -> Result<Vec<Id>> {
        let unseen = index.packs().iter().filter(|id| !stored.contains_key(id));
        let at_once = self.storage().capabilities().connections.max(1);
        let ask = |id: Id| async move {
            match self.storage().stat(&FileKind::Pack.path(&id)?).await {
                Ok(_) => Err(Error::new(
                    ErrorKind::Refused,
                    format!("the storage has pack {id} and does not list it; nothing was changed"),
                )),
                Err(error) if error.kind == StorageKind::NotFound => Ok(id),
                Err(error) => Err(error).context(|| format!("look for pack {}", id.short())),
            }
        };
        let mut missing: Vec<Id> = stream::iter(unseen.copied())
            .map(ask)
            .buffer_unordered(at_once)
            .try_collect()
            .await?;
        missing.sort_unstable();
        Ok(missing)
    }

    async fn look_at_packs(
        &self,
        plan: &mut IndexRepairPlan,
        options: IndexRepairOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        progress.begin(Phase::CheckPacks);
        let index = Arc::clone(&plan.change.index);
        let shapes = pack_shapes(&index);
        let numbers: HashMap<&Id, usize> = index
            .packs()
            .iter()
            .enumerate()
            .map(|(number, id)| (id, number))
            .collect();
        let mut questions: Vec<(FileEntry, Option<(usize, u64)>)> = Vec::new();
        for (id, size_bytes) in &plan.change.stored {
            let known = numbers.get(id).and_then(|number| {
                let shape = shapes.get(*number)?;
                Some((*number, shape.size_bytes()))
            });
            let agrees = known.is_some_and(|(_, expected)| expected == *size_bytes);
            if !agrees || options.read_all_packs {
                let file = FileEntry {
                    id: *id,
                    size_bytes: *size_bytes,
                };
                questions.push((file, known));
            }
        }
        progress.add_total(Amount {
            items: questions.len() as u64,
            ..Amount::default()
        });
        progress.total_known();
        let asked: HashSet<usize> = questions
            .iter()
            .filter_map(|(_, known)| Some(known.as_ref()?.0))
            .collect();
        let contents = PackContents::new(&index, |_, _, pack| asked.contains(&(pack as usize)))?;
        let at_once = self.storage().capabilities().connections.max(1);
        let mut verdicts = stream::iter(questions)
            .map(|(file, known)| {
                let indexed: Option<(Vec<PackedBlob>, u64)> = known.map(|(number, expected)| {
                    let blobs = contents.blobs(&index, number);
                    (blobs.iter().map(IndexedBlob::packed).collect(), expected)
                });
                self.look_at_pack(file, indexed)
            })
            .buffer_unordered(at_once);
        while let Some((pack, verdict)) = verdicts.try_next().await? {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            progress.advance(Amount {
                items: 1,
                ..Amount::default()
            });
            match verdict {
                Verdict::Agrees => {}
                Verdict::Unreadable(why) => plan.unreadable_packs.push((pack, why)),
                Verdict::Found(blobs) => {
                    plan.found.push(pack);
                    plan.change.described.insert(pack, blobs);
                }
                Verdict::Redescribed(redescribed, blobs) => {
                    plan.redescribed.push(redescribed);
                    plan.change
                        .described
                        .extend(blobs.map(|blobs| (pack, blobs)));
                }
            }
        }
        Ok(())
    }

    /// `indexed` is what the index says of the pack, and the size that it should have.
    async fn look_at_pack(
        &self,
        file: FileEntry,
        indexed: Option<(Vec<PackedBlob>, u64)>,
    ) -> Result<(Id, Verdict)> {
        let header = match self.load_pack_header(&file.id, file.size_bytes).await {
            Err(error) if is_damage(&error) => Err(error),
            header => Ok(header?),
        };
        let Some((mut indexed, expected_bytes)) = indexed else {
            return Ok((
                file.id,
                match header {
                    // A pack of an interrupted backup: what its header says is believed as that of any other is.
                    Ok(blobs) => Verdict::Found(blobs),
                    Err(error) => Verdict::Unreadable(error.to_string()),
                },
            ));
        };
        indexed.sort_unstable_by_key(|blob| (blob.offset, blob.length));
        let agrees = header.is_ok_and(|mut header| {
            header.sort_unstable_by_key(|blob| (blob.offset, blob.length));
            header == indexed
        });
        if agrees && expected_bytes == file.size_bytes {
            return Ok((file.id, Verdict::Agrees));
        }
        let examined = examine(self, file, &indexed).await?;
        let redescribed = Redescribed {
            pack: file.id,
            expected_bytes,
            actual_bytes: file.size_bytes,
            whole: examined.whole.len() as u64,
            lost: examined.lost.len() as u64,
            is_damaged: examined.is_damaged,
        };
        // Where nothing better can be said of the pack, the index stays as it is.
        let blobs = (examined.whole != indexed).then_some(examined.whole);
        Ok((file.id, Verdict::Redescribed(redescribed, blobs)))
    }

    /// Carries out a plan. `lock` is this operation's exclusive lock.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the index has changed since; [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the
    /// storage's. Whenever it fails or is killed, what was found before is found after, and a new plan goes on from there.
    pub async fn repair_index(
        &self,
        plan: IndexRepairPlan,
        now: Timestamp,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<IndexRepairReport> {
        let change = &plan.change;
        change.refuse_changed(self, lock, &[]).await?;
        if change.is_nothing() {
            return Ok(IndexRepairReport::default());
        }
        let fresh = change.write(self, lock, progress).await?;
        change.confirm(self, &fresh, &[]).await?;
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        change.refuse_changed(self, lock, &fresh).await?;
        let changed = change
            .remove_old(self, fresh, now, lock, progress, cancel)
            .await?;
        Ok(IndexRepairReport {
            indexes_written: changed.written.len() as u64,
            indexes_removed: changed.removed,
            quarantined: changed.quarantined,
            left: changed.left,
        })
    }
}

impl IndexRepairPlan {
    fn sort(&mut self) {
        self.found.sort_unstable();
        self.redescribed.sort_unstable_by_key(|pack| pack.pack);
        self.unreadable_indexes.sort();
        self.unreadable_packs.sort();
    }
}
