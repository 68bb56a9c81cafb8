//! New snapshots in place of those in which something is lost: as restic makes them.
//!
//! A file that lost blobs keeps what is left of its content. A directory whose tree is lost is empty. Where the tree of the
//! root is lost, nothing can be made. The new snapshot names the old one as its original, and has the tag `repaired` unless the
//! old one goes. The old one goes only if that is asked for; a copy of it lies in the quarantine then, where there is one.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::entries::Loss;
use super::trees::{BadTrees, Rewriter, find_bad_trees};
use crate::file_kind::FileKind;
use crate::format::{Id, Snapshot};
use crate::index::Index;
use crate::lock::Lock;
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::trash::find_missing;
use crate::usage::Storer;
use crate::{Error, ErrorKind, Result};

/// Tag of new snapshots whose original stays.
pub const TAG: &str = "repaired";

/// How snapshots are repaired.
#[derive(Debug, Clone, Default)]
pub struct SnapshotsRepairOptions {
    /// These; `None`: all, and files in their folder that cannot be read go into the quarantine.
    pub snapshots: Option<Vec<Id>>,
    /// Remove the old ones.
    pub forget: bool,
    /// Losses that are listed at most for each snapshot; all are counted.
    pub paths_max: usize,
}

/// A snapshot in which something is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRepair {
    /// As it is.
    pub old: SnapshotFile,
    /// The root tree of the new one; `None`: the old one's is lost, and nothing can be made.
    pub tree: Option<Id>,
    /// A snapshot that was made from it before and is what would be made now.
    pub made_before: Option<Id>,
    /// Files and directories that are not as they were.
    pub losses_count: u64,
    /// Some of them, with their paths in the snapshot: raw bytes, beginning with `/`.
    pub losses: Vec<(Vec<u8>, Loss)>,
}

/// What a repair of snapshots would do.
pub struct SnapshotsRepairPlan {
    /// Snapshots in which something is lost, oldest first.
    pub snapshots: Vec<SnapshotRepair>,
    /// Files in the folder of snapshots that cannot be read, and why.
    pub unreadable: Vec<(Id, String)>,
    /// Snapshots that are whole.
    pub sound: u64,
    /// Damaged files can be put aside; otherwise they stay where they are.
    pub has_quarantine: bool,
    forget: bool,
    index: Arc<Index>,
    bad: BadTrees,
}

/// What a repair of snapshots did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotsRepairReport {
    /// The old snapshot, the new one.
    pub made: Vec<(Id, Id)>,
    /// Old snapshots that were removed.
    pub removed: Vec<Id>,
    /// Files that cannot be read, and snapshots of which nothing is left, that are where they were.
    pub left: Vec<Id>,
    /// Copies in the quarantine.
    pub quarantined: Vec<String>,
}

impl SnapshotsRepairPlan {
    /// Whether all snapshots are whole.
    pub fn is_nothing(&self) -> bool {
        self.snapshots.is_empty() && self.unreadable.is_empty()
    }

    /// Whether old snapshots would be removed.
    pub fn forgets(&self) -> bool {
        self.forget
    }
}

impl std::fmt::Debug for SnapshotsRepairPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapshotsRepairPlan")
            .field("snapshots", &self.snapshots)
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}

impl SnapshotRepair {
    /// The new snapshot.
    fn new_snapshot(&self, tree: Id, forget: bool) -> Snapshot {
        let mut new = self.old.snapshot.clone();
        new.original = Some(self.old.id);
        new.tree = tree;
        if !forget && !new.tags.iter().any(|tag| tag == TAG) {
            new.tags.push(TAG.to_owned());
        }
        new
    }
}

impl Repository {
    /// Finds the snapshots in which something is lost: blobs that the index does not name, or that lie in packs that are
    /// missing. Changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] if an index file cannot be read: the index is repaired first. The storage's,
    /// [`ErrorKind::Cancelled`].
    pub async fn plan_repair_snapshots(
        &self,
        options: &SnapshotsRepairOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<SnapshotsRepairPlan> {
        let (all, unreadable) = self.load_snapshots_tolerant(progress).await?;
        let index = Arc::new(self.load_index(progress).await?);
        let index = self.present_index(&index).await?.index;
        let chosen: Vec<SnapshotFile> = match &options.snapshots {
            Some(ids) => all
                .iter()
                .filter(|file| ids.contains(&file.id))
                .cloned()
                .collect(),
            None => all.clone(),
        };
        let roots = chosen.iter().map(|file| file.snapshot.tree).collect();
        let bad = find_bad_trees(self, &index, roots, progress, cancel).await?;
        let mut plan = SnapshotsRepairPlan {
            snapshots: Vec::new(),
            unreadable: match options.snapshots {
                Some(_) => Vec::new(),
                None => unreadable
                    .into_iter()
                    .map(|(id, error)| (id, error.to_string()))
                    .collect(),
            },
            sound: 0,
            has_quarantine: self.has_quarantine(),
            forget: options.forget,
            index: Arc::clone(&index),
            bad: BadTrees::default(),
        };
        let mut rewriter = Rewriter::new(self, &index, &bad, None);
        for old in chosen {
            let root = old.snapshot.tree;
            if !bad.is_affected(&root) {
                plan.sound = plan.sound.saturating_add(1);
                continue;
            }
            plan.snapshots.push(if bad.is_unreadable(&root) {
                SnapshotRepair {
                    old,
                    tree: None,
                    made_before: None,
                    losses_count: 1,
                    losses: vec![(b"/".to_vec(), Loss::Directory)],
                }
            } else {
                let tree = rewriter.rewrite(root, cancel).await?;
                let (losses_count, losses) = rewriter.losses(&root, options.paths_max);
                let made_before = all.iter().find(|file| {
                    file.snapshot.original == Some(old.id) && file.snapshot.tree == tree
                });
                SnapshotRepair {
                    made_before: made_before.map(|file| file.id),
                    old,
                    tree: Some(tree),
                    losses_count,
                    losses,
                }
            });
        }
        drop(rewriter);
        plan.bad = bad;
        Ok(plan)
    }

    /// Carries out a plan. `lock` is this operation's exclusive lock.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if a snapshot is gone since; [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storage's.
    /// Whenever it fails or is killed, each snapshot of the plan is there as it was, or its new one is.
    pub async fn repair_snapshots(
        &self,
        plan: SnapshotsRepairPlan,
        now: Timestamp,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<SnapshotsRepairReport> {
        let mut report = SnapshotsRepairReport::default();
        if plan.is_nothing() {
            return Ok(report);
        }
        self.store_trees(&plan, lock, cancel).await?;
        if plan.forget {
            self.confirm_trees(&plan, progress, cancel).await?;
        }
        progress.begin(Phase::DeleteFiles);
        progress.add_total(items(plan.snapshots.len()));
        progress.total_known();
        for repair in &plan.snapshots {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            self.replace(&plan, repair, now, lock, &mut report).await?;
            progress.advance(items(1));
        }
        for (id, _) in &plan.unreadable {
            self.put_aside(*id, now, lock, &mut report).await?;
        }
        Ok(report)
    }

    /// Stores the new trees and has them indexed.
    async fn store_trees(
        &self,
        plan: &SnapshotsRepairPlan,
        lock: &Lock,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let stop = cancel.child_token();
        let writer = BlobWriter::under(
            lock,
            self,
            Arc::clone(&plan.index),
            WriterOptions::default(),
            stop.clone(),
        );
        let storer = Storer::new(self, &writer);
        let stored = async {
            let mut rewriter = Rewriter::new(self, &plan.index, &plan.bad, Some(&storer));
            let wanted = plan
                .snapshots
                .iter()
                .filter(|repair| repair.made_before.is_none());
            for repair in wanted {
                let Some(expected) = repair.tree else {
                    continue;
                };
                let tree = rewriter.rewrite(repair.old.snapshot.tree, &stop).await?;
                if tree != expected {
                    let message =
                        "a tree came out otherwise than in the plan; no snapshot was made";
                    return Err(Error::new(ErrorKind::Internal, message));
                }
            }
            Ok(())
        };
        let stored = stored.await;
        writer.finish_after(stored).await?;
        Ok(())
    }

    /// Fails unless all that the new snapshots need is in packs that the storage has: the old ones go after that.
    async fn confirm_trees(
        &self,
        plan: &SnapshotsRepairPlan,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let index = Arc::new(self.load_index(progress).await?);
        let index = self.present_index(&index).await?.index;
        let roots: Vec<Id> = plan
            .snapshots
            .iter()
            .filter_map(|repair| repair.tree)
            .collect();
        let missing = find_missing(self, &index, &roots, progress, cancel).await?;
        match missing.iter().find_map(|missing| missing.examples.first()) {
            None => Ok(()),
            Some(what) => Err(Error::damaged(format!(
                "the storage has not kept what the new snapshots need ({what}); no snapshot was made"
            ))),
        }
    }

    async fn replace(
        &self,
        plan: &SnapshotsRepairPlan,
        repair: &SnapshotRepair,
        now: Timestamp,
        lock: &Lock,
        report: &mut SnapshotsRepairReport,
    ) -> Result<()> {
        let old = repair.old.id;
        let Some(tree) = repair.tree else {
            return match plan.forget {
                true => self.put_aside(old, now, lock, report).await,
                false => {
                    report.left.push(old);
                    Ok(())
                }
            };
        };
        // That the plan still holds: the old one is there.
        self.load_snapshot(&old).await?;
        if repair.made_before.is_none() {
            let new = repair.new_snapshot(tree, plan.forget);
            let new = self.publish_changed_snapshot(&old, &new, lock).await?;
            report.made.push((old, new));
        }
        if plan.forget {
            if plan.has_quarantine {
                let name = self.save_damaged(FileKind::Snapshot, &old, now).await?;
                report.quarantined.extend(name);
            }
            self.remove_snapshots(&[old], lock).await?;
            report.removed.push(old);
        }
        Ok(())
    }

    /// Moves a file of which nothing is left into the quarantine; leaves it where it is if that cannot be.
    async fn put_aside(
        &self,
        id: Id,
        now: Timestamp,
        lock: &Lock,
        report: &mut SnapshotsRepairReport,
    ) -> Result<()> {
        let saved = match self.has_quarantine() {
            true => self.save_damaged(FileKind::Snapshot, &id, now).await?,
            false => None,
        };
        let Some(name) = saved else {
            report.left.push(id);
            return Ok(());
        };
        report.quarantined.push(name);
        self.remove_snapshots(&[id], lock).await?;
        report.removed.push(id);
        Ok(())
    }
}

fn items(number: usize) -> Amount {
    Amount {
        items: number as u64,
        ..Amount::default()
    }
}
