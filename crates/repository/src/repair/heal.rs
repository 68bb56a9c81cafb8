//! Fetching from another repository what is lost here.
//!
//! Blobs are named by their content, so a blob of that name is the same wherever it lies; each is checked on the way. It is
//! encrypted anew, stored in new packs and indexed. Nothing is removed: what the index says of packs that are missing or
//! damaged stays until a repair of the index or of packs, and does no harm, since every copy of a blob is tried.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use crate::check::{CheckReport, Losses};
use crate::format::{BlobKind, Id, Tree};
use crate::index::Index;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::usage::{Storer, is_damage, visit_trees};
use crate::{Error, ErrorKind, Result};

/// What can be fetched.
pub struct HealPlan {
    /// Blobs that are lost here and that the other repository names.
    pub available: Vec<(BlobKind, Id)>,
    /// Blobs that are lost here and there.
    pub lost: Vec<(BlobKind, Id)>,
    source_index: Arc<Index>,
}

/// What was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealReport {
    /// Blobs that are here again.
    pub healed: u64,
    /// Blobs that the other repository names and does not have whole either.
    pub damaged: Vec<(BlobKind, Id)>,
}

impl std::fmt::Debug for HealPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HealPlan")
            .field("available", &self.available)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Missing {
    data: HashSet<Id>,
    trees: HashSet<Id>,
}

/// Blobs that are fetched at the same time.
const AT_ONCE: usize = 8;

impl Repository {
    /// Finds out what of the losses that a check of this repository found another repository has. Changes nothing. The caller
    /// holds a lock of [`crate::lock::Access::Read`] on `source`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the report is not that of a check; [`ErrorKind::Damaged`] if an index file of `source`
    /// cannot be read; the storages', [`ErrorKind::Cancelled`].
    pub async fn plan_heal(
        &self,
        source: &Repository,
        report: &CheckReport,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<HealPlan> {
        let losses = report.losses.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "the report does not say what is lost")
        })?;
        let here = Arc::new(whole_index(losses));
        let source_index = Arc::new(source.load_index(progress).await?);
        let mut plan = HealPlan {
            available: Vec::new(),
            lost: Vec::new(),
            source_index,
        };
        let mut data = HashSet::new();
        let mut seen_trees = HashSet::new();
        let mut roots = self.all_roots(progress).await?;
        // A tree that is lost here is read there, and what it names may be lost here too.
        while !roots.is_empty() {
            let missing = self
                .find_missing_blobs(&here, roots, progress, cancel)
                .await?;
            data.extend(missing.data);
            roots = Vec::new();
            for tree in missing.trees {
                if seen_trees.insert(tree) {
                    let below = plan.look_for_tree(source, tree).await?;
                    data.extend(
                        below
                            .data
                            .iter()
                            .filter(|id| !here.contains(BlobKind::Data, id)),
                    );
                    roots.extend(below.trees);
                }
            }
        }
        for id in data {
            plan.look_for(BlobKind::Data, id);
        }
        let order = |(kind, id): &(BlobKind, Id)| (*kind == BlobKind::Data, *id);
        plan.available.sort_unstable_by_key(order);
        plan.lost.sort_unstable_by_key(order);
        Ok(plan)
    }

    /// The root trees of all snapshots that can be read, those in the trash too.
    async fn all_roots(&self, progress: &dyn Progress) -> Result<Vec<Id>> {
        let (snapshots, _) = self.load_snapshots_tolerant(progress).await?;
        let (trash, _) = self.load_trash(progress).await?;
        let trash = trash.iter().map(|entry| entry.snapshot.tree);
        let snapshots = snapshots.iter().map(|file| file.snapshot.tree);
        Ok(snapshots.chain(trash).collect())
    }

    async fn find_missing_blobs(
        &self,
        index: &Arc<Index>,
        roots: Vec<Id>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Missing> {
        let missing = Arc::new(Mutex::new(Missing::default()));
        let (job, job_index) = (Arc::clone(&missing), Arc::clone(index));
        let visit = move |id: &Id, tree: std::result::Result<&Tree, &Error>| {
            let mut missing = job.lock().unwrap_or_else(PoisonError::into_inner);
            match tree {
                Err(_) => {
                    missing.trees.insert(*id);
                }
                Ok(tree) => missing
                    .data
                    .extend(contents(tree).filter(|id| !job_index.contains(BlobKind::Data, id))),
            }
        };
        visit_trees(self, index, roots, visit, progress, cancel).await?;
        Ok(std::mem::take(
            &mut *missing.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// Carries out a plan. `lock` is this operation's shared lock on this repository.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storages'. What was stored until then is indexed.
    pub async fn heal(
        &self,
        source: &Repository,
        plan: HealPlan,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<HealReport> {
        if plan.available.is_empty() {
            return Ok(HealReport::default());
        }
        lock.verify().await?;
        let stop = cancel.child_token();
        // The writer knows of no blob: the index may name those that are fetched, and they are stored all the same.
        let writer = BlobWriter::under(
            lock,
            self,
            Arc::<Index>::default(),
            WriterOptions::default(),
            stop.clone(),
        );
        let fetched = self.fetch(source, &plan, &writer, progress, &stop).await;
        let (report, _) = writer.finish_after(fetched).await?;
        Ok(report)
    }

    async fn fetch(
        &self,
        source: &Repository,
        plan: &HealPlan,
        writer: &BlobWriter,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<HealReport> {
        progress.begin(Phase::Copy);
        progress.add_total(items(plan.available.len()));
        progress.total_known();
        let storer = Storer::new(self, writer);
        let storer = &storer;
        let fetch = |(kind, id): (BlobKind, Id)| async move {
            match source.load_blob(&plan.source_index, kind, &id).await {
                Ok(plain) => storer.store(kind, plain).await.map(|()| None),
                Err(error) if is_damage(&error) => Ok(Some((kind, id))),
                Err(error) => Err(error),
            }
        };
        let mut fetched = stream::iter(plan.available.iter().copied())
            .map(fetch)
            .buffer_unordered(AT_ONCE);
        let mut report = HealReport::default();
        while let Some(damaged) = fetched.try_next().await? {
            if stop.is_cancelled() {
                return Err(Error::cancelled());
            }
            match damaged {
                None => report.healed = report.healed.saturating_add(1),
                Some(blob) => report.damaged.push(blob),
            }
            progress.advance(items(1));
        }
        Ok(report)
    }
}

impl HealPlan {
    fn look_for(&mut self, kind: BlobKind, id: Id) {
        match self.source_index.contains(kind, &id) {
            true => self.available.push((kind, id)),
            false => self.lost.push((kind, id)),
        }
    }

    /// Reads a tree in the other repository; returns what it names.
    async fn look_for_tree(&mut self, source: &Repository, id: Id) -> Result<Missing> {
        match source.load_tree(&self.source_index, &id).await {
            Ok(tree) => {
                self.available.push((BlobKind::Tree, id));
                Ok(Missing {
                    data: contents(&tree).collect(),
                    trees: tree.nodes.iter().filter_map(|node| node.subtree).collect(),
                })
            }
            Err(error) if is_damage(&error) => {
                self.lost.push((BlobKind::Tree, id));
                Ok(Missing::default())
            }
            Err(error) => Err(error),
        }
    }
}

/// What the check found whole, or did not look at.
fn whole_index(losses: &Losses) -> Index {
    let damaged = &losses.damaged;
    losses
        .index
        .without(|kind, position, _| damaged.of(kind).get(position))
}

fn contents(tree: &Tree) -> impl Iterator<Item = Id> {
    let nodes = tree.nodes.iter();
    nodes.flat_map(|node| node.content.iter().flatten().copied())
}

fn items(number: usize) -> Amount {
    Amount {
        items: number as u64,
        ..Amount::default()
    }
}
