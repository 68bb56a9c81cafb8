//! Writing what was brought back under its name.

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_storage::{Storage, WriteMode};
use tokio_util::sync::CancellationToken;

use super::lane;
use super::plan::{Condition, RecoverItem, RecoverPlan};
use super::rebuild::Rebuild;
use crate::error::Context;
use crate::format::Id;
use crate::format::parity::{ParityMemberKind, parity_name};
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::{Amount, Phase, Progress};
use crate::repair::quarantine_name;
use crate::workers::Workers;
use crate::{Error, ErrorKind, Result};

/// What was brought back, and what was not.
#[derive(Debug, Clone, Default)]
pub struct RecoverReport {
    /// Files that are whole again.
    pub recovered: Vec<(ParityMemberKind, Id)>,
    /// Files that were to be brought back and could not, with the reasons. They are as they were.
    pub failed: Vec<(ParityMemberKind, Id, String)>,
    /// Names of damaged files in the quarantine.
    pub quarantined: Vec<String>,
    /// Damaged parity files that were removed, so that their groups are made anew.
    pub parity_removed: u64,
}

/// Bytes of files that are held at a time, unless one file is more.
const HELD_BYTES: u64 = 128 << 20;

/// What needs others comes after them, so that nothing appears before what it needs.
const ORDER: [ParityMemberKind; 5] = [
    ParityMemberKind::Key,
    ParityMemberKind::Config,
    ParityMemberKind::Pack,
    ParityMemberKind::Index,
    ParityMemberKind::Snapshot,
];

impl RecoverPlan {
    /// Brings back what the plan says. Damaged bytes go to the quarantine before, under a name with the time `now`; what was
    /// written is read again. Where a group is whole then, its damaged parity is removed: it is made anew by whoever keeps
    /// parity up.
    ///
    /// `lock` is an exclusive lock, where the repository could be opened.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`], [`ErrorKind::Cancelled`], the storage's. A file that cannot be brought back is none: the
    /// report names it.
    pub async fn execute(
        &self,
        storage: &dyn Storage,
        workers: &Workers,
        lock: Option<&Lock>,
        now: Timestamp,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<RecoverReport> {
        OwnFolder::Quarantine.require(storage)?;
        progress.begin(Phase::Restore);
        for item in self.to_recover() {
            progress.add_total(amount(item));
        }
        progress.total_known();
        let mut run = Run {
            plan: self,
            storage,
            workers,
            lock,
            now,
            report: RecoverReport::default(),
        };
        for kind in ORDER {
            for group in 0..self.groups.len() {
                let items = self.to_recover();
                let items: Vec<_> = items
                    .filter(|item| item.kind == kind && item.place.0 == group)
                    .collect();
                for some in shares(&items) {
                    run.recover(group, some, progress, cancel).await?;
                }
            }
        }
        run.remove_damaged_parity().await?;
        Ok(run.report)
    }
}

fn amount(item: &RecoverItem) -> Amount {
    Amount {
        files: 1,
        bytes: item.size_bytes,
        items: 1,
    }
}

/// Cuts a list into shares that fit into memory.
fn shares<'a, 'b>(items: &'b [&'a RecoverItem]) -> Vec<&'b [&'a RecoverItem]> {
    let mut shares = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let mut held = 0_u64;
        let fits = rest.iter().take_while(|item| {
            held = held.saturating_add(item.size_bytes);
            held <= HELD_BYTES
        });
        let (share, others) = rest.split_at(fits.count().max(1));
        shares.push(share);
        rest = others;
    }
    shares
}

struct Run<'a> {
    plan: &'a RecoverPlan,
    storage: &'a dyn Storage,
    workers: &'a Workers,
    lock: Option<&'a Lock>,
    now: Timestamp,
    report: RecoverReport,
}

impl Run<'_> {
    async fn recover(
        &mut self,
        group: usize,
        items: &[&RecoverItem],
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let (Some(stored), Some(health)) =
            (self.plan.groups.get(group), self.plan.health.get(&group))
        else {
            return Err(Error::new(ErrorKind::Internal, "a plan without its group"));
        };
        let rebuild = Rebuild {
            storage: self.storage,
            workers: self.workers,
            group: &stored.group,
            health,
        };
        let targets: Vec<usize> = items.iter().map(|item| item.place.1).collect();
        let rebuilt = match rebuild.run(&targets, cancel).await {
            Ok(rebuilt) => rebuilt,
            Err(error) if error.kind() == ErrorKind::Damaged => {
                for item in items {
                    let reason = error.to_string();
                    self.report.failed.push((item.kind, item.id, reason));
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (item, bytes) in items.iter().zip(rebuilt) {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            match self.put(item, bytes).await {
                Ok(()) => self.report.recovered.push((item.kind, item.id)),
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    let reason = error.to_string();
                    self.report.failed.push((item.kind, item.id, reason));
                }
                Err(error) => return Err(error),
            }
            progress.advance(amount(item));
        }
        Ok(())
    }

    async fn put(&mut self, item: &RecoverItem, bytes: Bytes) -> Result<()> {
        let path = item.kind.path(&item.id)?;
        let class = item.kind.class();
        let doing = || format!("write {} {}", item.kind.noun(), item.id.short());
        self.verify_lock().await?;
        let mode = match item.condition {
            Condition::Missing => WriteMode::New,
            Condition::Damaged => {
                self.quarantine(item).await?;
                WriteMode::Replace
            }
        };
        self.verify_lock().await?;
        self.storage
            .write(&path, bytes, mode, class)
            .await
            .context(doing)?;
        let stored = lane::read(self.storage, &path, None, class).await?;
        let id = item.id;
        let is_whole = move || stored.is_some_and(|stored| Id::of(&stored) == id);
        match self.workers.run(is_whole).await? {
            true => Ok(()),
            false => Err(Error::damaged(
                "the storage does not give back what was written to it",
            )),
        }
    }

    /// Copies a damaged file and compares the copy. Where it cannot be read to its end there is nothing to copy.
    async fn quarantine(&mut self, item: &RecoverItem) -> Result<()> {
        let path = item.kind.path(&item.id)?;
        let class = item.kind.class();
        let Some(stored) = lane::read(self.storage, &path, None, class).await? else {
            return Ok(());
        };
        let name = quarantine_name(item.kind.noun(), &item.id, self.now);
        let folder = OwnFolder::Quarantine;
        folder
            .write(self.storage, &name, stored.clone(), WriteMode::Replace)
            .await?;
        if folder.read(self.storage, &name).await? != stored {
            return Err(Error::damaged(format!(
                "{name} of the quarantine is not what was written, so the file stays as it is"
            )));
        }
        self.report.quarantined.push(name);
        Ok(())
    }

    /// Parity that is damaged may still be of use where a member is, too; there it stays.
    async fn remove_damaged_parity(&mut self) -> Result<()> {
        for (group, file) in &self.plan.damaged_parity {
            let items = self.plan.items.iter();
            let mut left = items.filter(|item| {
                let is_back = self.report.recovered.contains(&(item.kind, item.id));
                item.place.0 == *group && !is_back
            });
            if left.next().is_some() {
                continue;
            }
            self.verify_lock().await?;
            let name = parity_name(file);
            OwnFolder::Parity.delete(self.storage, &name).await?;
            self.report.parity_removed += 1;
        }
        Ok(())
    }

    async fn verify_lock(&self) -> Result<()> {
        match self.lock {
            Some(lock) => lock.verify().await,
            None => Ok(()),
        }
    }
}
