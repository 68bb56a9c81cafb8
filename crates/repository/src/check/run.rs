//! The check as a whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;

use super::affected::{Losses, find_affected};
use super::finding::FindingKind;
use super::packs::check_packs;
use super::places;
use super::read_data::{Read, read_packs};
use super::report::{CheckFigures, CheckReport, Findings};
use super::structure::{Structure, check_structure};
use super::subset::{self, ReadData};
use super::trash::check_trash;
use crate::file_kind::FileKind;
use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::lock::LockOptions;
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::usage::Marks;
use crate::{Error, ErrorKind, Result};

/// What a check does.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// How much of the data is read.
    pub read_data: ReadData,
    /// Paths that are listed at most where damage touches files; all are counted.
    pub paths_max: usize,
    /// Who we are, to tell our lock from others'.
    pub locks: LockOptions,
}

/// How often the index is loaded anew because index files vanished meanwhile.
const INDEX_ATTEMPTS: u32 = 3;

impl Repository {
    /// Checks the repository. The caller holds a lock of [`crate::lock::Access::Read`].
    ///
    /// Damage is no error but the content of the report.
    ///
    /// # Errors
    /// The storage's, [`ErrorKind::Cancelled`], and [`ErrorKind::Locked`] if another process rewrote the repository so
    /// that what was found means nothing.
    pub async fn check(
        &self,
        options: &CheckOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<CheckReport> {
        let findings = Arc::new(Findings::default());
        places::check_config(self, &findings).await?;
        places::check_keys(self, &findings).await?;
        let is_shared = places::check_locks(self, &options.locks, &findings).await?;
        // The order matters: see the module.
        let snapshots = self.check_snapshots(&findings, progress).await?;
        let (index, index_files) = self.check_indexes(&findings, progress, cancel).await?;
        progress.begin(Phase::CheckPacks);
        let stored: HashMap<Id, u64> = self
            .list(FileKind::Pack)
            .await?
            .into_iter()
            .map(|pack| (pack.id, pack.size_bytes))
            .collect();
        let damaged = Arc::new(Marks::new(&index));
        check_packs(&index, &stored, &findings, &damaged);
        let structure = Arc::new(Structure {
            used: Marks::new(&index),
            index,
            findings: Arc::clone(&findings),
            damaged,
            trees: 0.into(),
            losses: 0.into(),
        });
        let roots = snapshots.iter().map(|file| file.snapshot.tree).collect();
        check_structure(self, &structure, roots, progress, cancel).await?;
        let trash = check_trash(self, &structure, &snapshots, progress, cancel).await?;
        let read = self
            .check_data(options.read_data, &structure, &stored, progress, cancel)
            .await?;
        let losses = Arc::new(Losses {
            index: Arc::clone(&structure.index),
            damaged: Arc::clone(&structure.damaged),
        });
        let affected = if structure.touches_snapshots() {
            find_affected(
                self,
                &losses,
                &snapshots,
                options.paths_max,
                progress,
                cancel,
            )
            .await?
        } else {
            Vec::new()
        };
        if findings.errors() > 0 {
            self.refuse_rewritten(&index_files, &snapshots).await?;
        }
        let figures = CheckFigures {
            trash,
            ..structure.figures(snapshots.len(), read)
        };
        drop(structure);
        let findings = Arc::try_unwrap(findings)
            .map_err(|_| Error::new(ErrorKind::Internal, "a check has not ended"))?;
        Ok(CheckReport {
            affected,
            figures,
            is_shared,
            losses: Some(losses),
            ..findings.into_report()
        })
    }

    async fn check_snapshots(
        &self,
        findings: &Findings,
        progress: &dyn Progress,
    ) -> Result<Vec<SnapshotFile>> {
        let (snapshots, failures) = self.load_snapshots_tolerant(progress).await?;
        for (snapshot, error) in failures {
            findings.add(FindingKind::Snapshot { snapshot }, error.to_string());
        }
        Ok(snapshots)
    }

    /// Loads the index, and returns the index files that it was loaded from.
    async fn check_indexes(
        &self,
        findings: &Findings,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(Arc<Index>, HashSet<Id>)> {
        for _ in 0..INDEX_ATTEMPTS {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let before = self.list_indexes().await?;
            let (index, failures) = self.load_index_tolerant(progress).await?;
            if !before.is_subset(&self.list_indexes().await?) {
                continue;
            }
            for (index, error) in failures {
                findings.add(FindingKind::Index { index }, error.to_string());
            }
            return Ok((Arc::new(index), before));
        }
        Err(rewritten())
    }

    async fn list_indexes(&self) -> Result<HashSet<Id>> {
        Ok(self
            .list(FileKind::Index)
            .await?
            .into_iter()
            .map(|file| file.id)
            .collect())
    }

    /// Fails if index files that were loaded are gone, or snapshots that were looked at: what they need may have been
    /// removed with them.
    async fn refuse_rewritten(
        &self,
        loaded: &HashSet<Id>,
        snapshots: &[SnapshotFile],
    ) -> Result<()> {
        let listed = self.list(FileKind::Snapshot).await?;
        let present: HashSet<Id> = listed.into_iter().map(|file| file.id).collect();
        let all_present = snapshots.iter().all(|file| present.contains(&file.id));
        if all_present && loaded.is_subset(&self.list_indexes().await?) {
            Ok(())
        } else {
            Err(rewritten())
        }
    }

    async fn check_data(
        &self,
        subset: ReadData,
        structure: &Structure,
        stored: &HashMap<Id, u64>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Read> {
        if subset == ReadData::Nothing {
            return Ok(Read::default());
        }
        let known = structure.index.packs().iter();
        let packs = known
            .filter_map(|pack| Some((*pack, *stored.get(pack)?)))
            .collect();
        let chosen = subset::choose(subset, packs)?;
        let Structure {
            index,
            findings,
            damaged,
            ..
        } = structure;
        read_packs(self, index, chosen, findings, damaged, progress, cancel).await
    }
}

impl Structure {
    /// Whether something that a snapshot needs is damaged; a blob that has a whole copy elsewhere may be among it.
    fn touches_snapshots(&self) -> bool {
        let used_is_damaged = |kind| {
            let records = self.index.blobs(kind).enumerate();
            let mut first = 0_usize;
            let mut last = None;
            // Records of a blob follow each other, and the first one's position stands for the blob in `used`.
            records.into_iter().any(|(position, blob)| {
                if last != Some(blob.id) {
                    (first, last) = (position, Some(blob.id));
                }
                self.damaged.of(kind).get(position) && self.used.of(kind).get(first)
            })
        };
        self.losses.load(Ordering::Relaxed) > 0
            || (self.damaged.count() > 0
                && (used_is_damaged(BlobKind::Data) || used_is_damaged(BlobKind::Tree)))
    }

    fn figures(&self, snapshots: usize, read: Read) -> CheckFigures {
        CheckFigures {
            snapshots: snapshots as u64,
            trash: 0,
            indexes: self.index.files().len() as u64,
            packs: self.index.packs().len() as u64,
            blobs: (self.index.len(BlobKind::Data) as u64)
                .saturating_add(self.index.len(BlobKind::Tree) as u64),
            blobs_used: self.used.count(),
            trees: self.trees.load(Ordering::Relaxed),
            packs_read: read.packs,
            bytes_read: read.bytes,
        }
    }
}

fn rewritten() -> Error {
    Error::new(
        ErrorKind::Locked,
        "another process rewrote the repository while it was checked; what was found means nothing",
    )
}
