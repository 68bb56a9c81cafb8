//! What a retention run would do, and doing exactly that.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Duration;
use super::pinned::{keep_pinned, refuse_pinned};
use super::received::{put_received, received};
use super::{AgeBy, Calendar, Kept, Policy, apply_policy};
use crate::file_kind::FileKind;
use crate::format::{Id, Time};
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::pin::believed_now;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::snapshots::{GroupBy, GroupKey, SnapshotFilter, group_snapshots};
use crate::trash::TrashTimes;
use crate::{Error, ErrorKind, Result};

/// Retention as the user asks for it.
#[derive(Debug, Clone)]
pub struct ForgetOptions {
    /// The snapshots that the policy is about; others are not looked at.
    pub filter: SnapshotFilter,
    /// Snapshots that the policy is applied to together.
    pub group_by: GroupBy,
    /// What is kept of each group.
    pub policy: Policy,
    /// Whose days and weeks count.
    pub calendar: Calendar,
    /// Which time of a snapshot is its age.
    pub age_by: AgeBy,
    /// Now; snapshots after it are in the future.
    pub now: Timestamp,
    /// Allow that a group loses its last snapshot. Needs a filter, so that nobody empties a repository by a slip.
    pub allow_remove_all: bool,
}

/// A group with what stays and what goes, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgetGroup {
    /// What the snapshots have in common.
    pub key: GroupKey,
    /// What stays, each with its reasons.
    pub keep: Vec<Kept>,
    /// What goes: no rule keeps it, or it was named.
    pub remove: Vec<SnapshotFile>,
}

/// What will be removed and what stays.
#[derive(Debug, Default)]
pub struct ForgetPlan {
    /// The groups in the order of their keys. Snapshots that were named are one group without a key.
    pub groups: Vec<ForgetGroup>,
    /// Snapshots that cannot be read; they stay, and no rule counts them.
    pub unreadable: Vec<(Id, Error)>,
    /// Until when what goes can be brought back; for ever gone without.
    pub trash: Option<TrashTimes>,
    /// Pins that end after this hold.
    pub pins_end: Timestamp,
    /// When snapshots were received, of those whose age is that and not what they state.
    pub received: BTreeMap<Id, Time>,
}

/// Loads the snapshots and applies the policy to them.
///
/// # Errors
/// [`ErrorKind::Refused`] if there is no rule, or if a group would lose all of its snapshots, unless that is allowed;
/// or the storage's.
pub async fn plan_forget(
    repository: &Repository,
    options: &ForgetOptions,
    progress: &dyn Progress,
) -> Result<ForgetPlan> {
    options.check()?;
    let (mut snapshots, unreadable) = repository.load_snapshots_tolerant(progress).await?;
    let received = match options.age_by {
        AgeBy::Receipt => received(repository, &snapshots).await?,
        AgeBy::Stated => BTreeMap::new(),
    };
    let stated = put_received(&mut snapshots, &received);
    let pins_end = believed_now(&snapshots, options.now);
    let mut groups = plan_groups(options.filter.choose(snapshots), options, pins_end)?;
    for group in &mut groups {
        let kept = group.keep.iter_mut().map(|kept| &mut kept.stored);
        for file in kept.chain(&mut group.remove) {
            if let Some(time) = stated.get(&file.id) {
                file.snapshot.time = *time;
            }
        }
    }
    Ok(ForgetPlan {
        groups,
        unreadable,
        trash: None,
        pins_end,
        received,
    })
}

/// Plans the removal of snapshots that the user named. No pin counts as ended: [`ForgetPlan::end_pins`].
pub fn plan_forget_named(snapshots: Vec<SnapshotFile>) -> ForgetPlan {
    let key = GroupKey {
        hostname: String::new(),
        paths: None,
        tags: None,
    };
    ForgetPlan {
        groups: vec![ForgetGroup {
            key,
            keep: Vec::new(),
            remove: snapshots,
        }],
        unreadable: Vec::new(),
        trash: None,
        pins_end: Timestamp::MIN,
        received: BTreeMap::new(),
    }
}

impl ForgetOptions {
    fn check(&self) -> Result<()> {
        let refuse = |message| Err(Error::new(ErrorKind::Refused, message));
        if self.allow_remove_all && self.filter.is_empty() {
            return refuse("to remove all snapshots of a group, name it: by host, tag or path");
        }
        if self.policy.is_empty() && !self.allow_remove_all {
            return refuse("the policy has no rule, so it would keep nothing");
        }
        Ok(())
    }
}

fn plan_groups(
    snapshots: Vec<SnapshotFile>,
    options: &ForgetOptions,
    pins_end: Timestamp,
) -> Result<Vec<ForgetGroup>> {
    let groups = group_snapshots(snapshots, options.group_by)
        .into_iter()
        .map(|group| {
            let count = group.snapshots.len();
            let (policy, calendar) = (&options.policy, &options.calendar);
            let retention = apply_policy(group.snapshots, policy, calendar, options.now);
            // A slip in a policy is no better for a pin that keeps one snapshot of many.
            let keeps_none = retention.keep.is_empty();
            let retention = keep_pinned(retention, pins_end);
            if keeps_none && !retention.remove.is_empty() && !options.allow_remove_all {
                let group = match group.key.to_string() {
                    name if name.is_empty() => "snapshots".to_owned(),
                    name => format!("snapshots of {name}"),
                };
                let message = format!("the policy would keep none of the {count} {group}");
                return Err(Error::new(ErrorKind::Refused, message));
            }
            Ok(ForgetGroup {
                key: group.key,
                keep: retention.keep,
                remove: retention.remove,
            })
        });
    groups.collect()
}

impl ForgetPlan {
    /// All snapshots that will be removed.
    pub fn remove(&self) -> impl Iterator<Item = &SnapshotFile> {
        self.groups.iter().flat_map(|group| &group.remove)
    }

    /// All snapshots that the plan is about.
    pub fn files(&self) -> impl Iterator<Item = &SnapshotFile> {
        fn kept(group: &ForgetGroup) -> impl Iterator<Item = &SnapshotFile> {
            group.keep.iter().map(|kept| &kept.stored)
        }
        self.groups.iter().flat_map(kept).chain(self.remove())
    }

    /// Takes pins for ended that are, by this clock and by another snapshot.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if something that is to be removed is pinned, or the storage's.
    pub async fn end_pins(
        mut self,
        repository: &Repository,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Self> {
        if refuse_pinned(self.remove(), self.pins_end).is_err() {
            let (snapshots, _) = repository.load_snapshots_tolerant(progress).await?;
            self.pins_end = believed_now(&snapshots, now);
            refuse_pinned(self.remove(), self.pins_end)?;
        }
        Ok(self)
    }

    /// Lets what goes stay in the trash for a while.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the storage cannot hold a trash, [`ErrorKind::Invalid`] for a duration that makes no
    /// sense, or the storage's.
    pub async fn into_trash(
        mut self,
        repository: &Repository,
        keep_for: Duration,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Self> {
        repository.require_own_folders(OwnFolder::Trash)?;
        let (snapshots, _) = repository.load_snapshots_tolerant(progress).await?;
        let (trash, _) = repository.load_trash(progress).await?;
        self.trash = Some(TrashTimes::new(&snapshots, &trash, keep_for, now)?);
        Ok(self)
    }

    /// Removes exactly the snapshots that the plan says, under an exclusive lock; each when it is in the trash, where the
    /// plan has one. Returns those that were removed by this
    /// call; their data stays until a prune.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with nothing removed, if one of them is pinned, or if a snapshot that the plan keeps is gone:
    /// what the plan removes may then be the last one. [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], or the storage's, with some removed.
    pub async fn execute(
        &self,
        repository: &Repository,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Vec<Id>> {
        let files = repository.list(FileKind::Snapshot).await?;
        let present: HashSet<Id> = files.into_iter().map(|file| file.id).collect();
        self.refuse_if_changed(&present)?;
        refuse_pinned(self.remove(), self.pins_end)?;
        if self.trash.is_some() {
            repository.require_own_folders(OwnFolder::Trash)?;
        }
        let ids = self.remove().map(|file| file.id);
        let doomed: Vec<Id> = ids.filter(|id| present.contains(id)).collect();
        progress.begin(Phase::DeleteFiles);
        progress.add_total(items(doomed.len()));
        progress.total_known();
        for batch in doomed.chunks(repository.removed_at_once()) {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            if let Some(times) = &self.trash {
                lock.verify().await?;
                stream::iter(batch)
                    .map(|id| repository.keep_in_trash(id, times))
                    .buffer_unordered(repository.storage().capabilities().connections.max(1))
                    .try_collect::<()>()
                    .await?;
            }
            repository.remove_snapshots(batch, lock).await?;
            progress.advance(items(batch.len()));
        }
        Ok(doomed)
    }

    fn refuse_if_changed(&self, present: &HashSet<Id>) -> Result<()> {
        let losing = self.groups.iter().filter(|group| !group.remove.is_empty());
        for kept in losing.flat_map(|group| &group.keep) {
            if !present.contains(&kept.stored.id) {
                let id = kept.stored.id.short();
                let message =
                    format!("the plan is out of date: snapshot {id}, which it keeps, is gone");
                return Err(Error::new(ErrorKind::Refused, message));
            }
        }
        Ok(())
    }
}

fn items(count: usize) -> Amount {
    Amount {
        items: count as u64,
        ..Amount::default()
    }
}
