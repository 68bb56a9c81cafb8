//! Carrying out a plan: new groups first, and only then what they replace.

use std::collections::HashSet;

use bytes::Bytes;
use strongroom_storage::WriteMode;
use tokio_util::sync::CancellationToken;

use super::encode::{Encoded, Encoding, encode};
use super::existing::{Existing, StoredGroup};
use super::figures::ParityReport;
use super::files::{Name, name};
use super::plan::{ParityOptions, ParityPlan};
use crate::format::Id;
use crate::format::parity::{self, ParityGroup, ParityMember};
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::{Error, Result};

impl Repository {
    /// Carries out a plan. `lock` is this operation's lock, exclusive if the plan was made so.
    ///
    /// A file that turns out not to be what its name says is left out with a warning. Wherever it ends, each group is there
    /// whole or not at all; what is left over, the next plan removes.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`](crate::ErrorKind::LockLost), [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), the
    /// storage's.
    pub async fn make_parity(
        &self,
        plan: &ParityPlan,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<ParityReport> {
        self.require_own_folders(OwnFolder::Parity)?;
        progress.begin(Phase::ReadData);
        progress.add_total(Amount {
            bytes: plan.figures.bytes_to_read,
            ..Amount::default()
        });
        progress.total_known();
        let mut run = Run {
            repository: self,
            plan,
            lock,
            report: ParityReport::default(),
            covered: HashSet::new(),
            in_use: HashSet::new(),
            written: HashSet::new(),
        };
        for stored in &plan.keep {
            run.cover(&stored.group);
        }
        for members in &plan.make {
            run.make(members.clone(), progress, cancel).await?;
        }
        run.mark().await?;
        run.retire(cancel).await?;
        Ok(run.report)
    }

    /// Brings parity up to date after an operation has added or removed files. Does nothing, but for one listing, where
    /// the repository has no parity.
    ///
    /// Under a shared lock groups are added and small ones merged; what was removed is dealt with under an exclusive one.
    ///
    /// # Errors
    /// Those of [`Self::plan_parity`] and [`Self::make_parity`].
    pub async fn keep_parity(
        &self,
        options: &ParityOptions,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Option<ParityReport>> {
        let storage = &**self.storage();
        let listed = OwnFolder::Parity.list(storage).await?;
        if !Existing::has_groups(&listed) {
            return Ok(None);
        }
        let existing = Existing::of_listing(storage, &listed).await?;
        if existing.groups.is_empty() && options.percent.is_none() {
            let message = "no descriptor of the parity can be read: make it anew with a percentage";
            return Err(Error::damaged(message));
        }
        let plan = self.plan_from(existing, options, cancel).await?;
        self.make_parity(&plan, lock, progress, cancel)
            .await
            .map(Some)
    }
}

struct Run<'a> {
    repository: &'a Repository,
    plan: &'a ParityPlan,
    lock: &'a Lock,
    report: ParityReport,
    /// Living members of groups that stay or were made.
    covered: HashSet<Name>,
    /// Parity files of these.
    in_use: HashSet<Id>,
    /// Descriptors that were written. The same files make the same group under the same name.
    written: HashSet<Id>,
}

impl Run<'_> {
    fn cover(&mut self, group: &ParityGroup) {
        self.covered.extend(group.members.iter().map(name));
        self.in_use.extend(group.files.iter().map(|file| file.id));
    }

    /// Makes a group of those members that are whole.
    async fn make(
        &mut self,
        mut members: Vec<ParityMember>,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let repository = self.repository;
        while !members.is_empty() {
            let encoding = encode(
                &**repository.storage(),
                repository.workers(),
                &members,
                self.plan.percent,
                progress,
                cancel,
            );
            let damaged = match encoding.await? {
                Encoding::Whole(encoded) => return self.store(encoded).await,
                Encoding::Damaged(damaged) => damaged,
            };
            for (member, why) in damaged {
                self.report.files_damaged += 1;
                let (noun, id) = (member.kind.noun(), member.id);
                progress.warning(&format!("{noun} {id} is not protected: {why}"));
                members.retain(|other| name(other) != name(&member));
            }
        }
        Ok(())
    }

    /// The parity first, the descriptor last: with that the group is there.
    async fn store(&mut self, encoded: Encoded) -> Result<()> {
        let Encoded { group, files } = encoded;
        for (file, bytes) in group.files.iter().zip(files) {
            self.lock.verify().await?;
            self.report.bytes_written += bytes.len() as u64;
            self.write(&parity::parity_name(&file.id), bytes).await?;
        }
        self.lock.verify().await?;
        self.write_descriptor(&group).await?;
        self.cover(&group);
        self.report.groups_made += 1;
        self.report.files_protected += group.members.len() as u64;
        Ok(())
    }

    async fn write_descriptor(&mut self, group: &ParityGroup) -> Result<Id> {
        let descriptor = group.encode()?;
        let id = Id::of(&descriptor);
        self.written.insert(id);
        self.write(&parity::group_name(&id), Bytes::from(descriptor))
            .await?;
        Ok(id)
    }

    /// What has the name already is the same, or what a storage left of it that was cut off.
    async fn write(&self, name: &str, bytes: Bytes) -> Result<()> {
        let storage = self.repository;
        storage
            .write_own(OwnFolder::Parity, name, bytes, WriteMode::Replace)
            .await
    }

    async fn mark(&mut self) -> Result<()> {
        for (old, group) in &self.plan.mark {
            self.lock.verify().await?;
            let new = self.write_descriptor(group).await?;
            if new != *old {
                self.delete(&parity::group_name(old)).await?;
            }
        }
        Ok(())
    }

    /// Removes the groups of the plan, those excepted that protect something which turned out to be in no new group.
    async fn retire(&mut self, cancel: &CancellationToken) -> Result<()> {
        for stored in &self.plan.retire {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            if self.written.contains(&stored.id) {
                continue;
            }
            if self.is_replaced(stored) {
                self.remove_group(stored).await?;
            } else {
                self.in_use
                    .extend(stored.group.files.iter().map(|file| file.id));
            }
        }
        let damaged = self.plan.damaged.iter();
        for id in damaged.filter(|id| !self.written.contains(id)) {
            self.lock.verify().await?;
            self.delete(&parity::group_name(id)).await?;
        }
        for id in self
            .plan
            .waste
            .iter()
            .filter(|id| !self.in_use.contains(id))
        {
            self.lock.verify().await?;
            self.delete(&parity::parity_name(id)).await?;
        }
        Ok(())
    }

    fn is_replaced(&self, stored: &StoredGroup) -> bool {
        let mut members = stored.group.members.iter().map(name);
        members.all(|name| self.covered.contains(&name) || self.plan.removed.contains(&name))
    }

    /// The descriptor first: a group without its parity would be worse than none.
    async fn remove_group(&mut self, stored: &StoredGroup) -> Result<()> {
        self.lock.verify().await?;
        self.delete(&parity::group_name(&stored.id)).await?;
        for file in &stored.group.files {
            if !self.in_use.contains(&file.id) {
                self.delete(&parity::parity_name(&file.id)).await?;
            }
        }
        self.report.groups_removed += 1;
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<()> {
        self.repository.delete_own(OwnFolder::Parity, name).await
    }
}
