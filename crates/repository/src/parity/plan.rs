//! Planning: which groups are to be made, and which go.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;

use super::existing::{Existing, StoredGroup, UnreadableGroup};
use super::figures::ParityFigures;
use super::files::{Name, Present};
use super::planner::Planner;
use crate::format::Id;
use crate::format::parity::{ParityGroup, ParityMember, ParityMemberKind};
use crate::own_files::OwnFolder;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// What a plan of parity may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParityOptions {
    /// Parts for a hundred members, 1 to 100; `None` for what the repository has.
    pub percent: Option<u8>,
    /// The caller holds an exclusive lock: nobody else makes parity, so what is left over and what is worn out may go.
    pub exclusive: bool,
    /// Members that are gone were removed on purpose: the user says so. After a prune by this process that is so in any
    /// case, since it has proved that nothing needs them.
    pub accept_missing: bool,
}

/// What would be done to a repository's parity.
#[derive(Debug, Clone)]
pub struct ParityPlan {
    pub(super) percent: u8,
    pub(super) figures: ParityFigures,
    /// Groups to make.
    pub(super) make: Vec<Vec<ParityMember>>,
    /// Groups whose living members are all in groups to make, or that have none left.
    pub(super) retire: Vec<StoredGroup>,
    /// Descriptors to write in place of others: some more members are marked as removed on purpose.
    pub(super) mark: Vec<(Id, ParityGroup)>,
    /// Groups that stay.
    pub(super) keep: Vec<StoredGroup>,
    /// Damaged descriptors, and parity files that no descriptor names.
    pub(super) damaged: Vec<Id>,
    pub(super) waste: Vec<Id>,
    pub(super) removed: HashSet<Name>,
    pub(super) unreadable: Vec<UnreadableGroup>,
    pub(super) missing: Vec<Name>,
    pub(super) unprotectable: Vec<Name>,
}

impl ParityPlan {
    /// What would happen, in numbers.
    pub fn figures(&self) -> &ParityFigures {
        &self.figures
    }

    /// The percentage that new groups get.
    pub fn percent(&self) -> u8 {
        self.percent
    }

    /// Nothing is to be done.
    pub fn is_nothing(&self) -> bool {
        self.make.is_empty()
            && self.retire.is_empty()
            && self.mark.is_empty()
            && self.damaged.is_empty()
            && self.waste.is_empty()
    }

    /// Protected files that are gone or have another size, and nothing explains why.
    pub fn missing(&self) -> &[(ParityMemberKind, Id)] {
        &self.missing
    }

    /// Files that are empty or larger than 256 MiB, and so stay without protection.
    pub fn unprotectable(&self) -> &[(ParityMemberKind, Id)] {
        &self.unprotectable
    }

    /// Descriptors that cannot be read.
    pub fn unreadable(&self) -> &[UnreadableGroup] {
        &self.unreadable
    }
}

impl Repository {
    /// Finds out what is to be done so that every file is protected. Changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the storage cannot hold parity; [`ErrorKind::Invalid`] for a percentage outside of
    /// 1 to 100, or none where the repository has none; the storage's.
    pub async fn plan_parity(
        &self,
        options: &ParityOptions,
        cancel: &CancellationToken,
    ) -> Result<ParityPlan> {
        self.require_own_folders(OwnFolder::Parity)?;
        let storage = &**self.storage();
        let existing = Existing::load(storage).await?;
        self.plan_from(existing, options, cancel).await
    }

    pub(super) async fn plan_from(
        &self,
        existing: Existing,
        options: &ParityOptions,
        cancel: &CancellationToken,
    ) -> Result<ParityPlan> {
        let percent = options.percent.or(existing.percent());
        let percent = percent.filter(|percent| (1..=100).contains(percent));
        let Some(percent) = percent else {
            let message = "parity needs a percentage from 1 to 100";
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        let present = Present::survey(&**self.storage()).await?;
        self.refuse_foreign_config(&present).await?;
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let removed = self.removed_files();
        let removed = removed.into_iter().filter_map(|(kind, id)| {
            let kind = ParityMemberKind::of(kind)?;
            Some((kind, id))
        });
        let planner = Planner {
            percent,
            options: ParityOptions {
                accept_missing: options.accept_missing || self.was_pruned(),
                ..*options
            },
            present,
            removed: removed.collect(),
        };
        Ok(planner.plan(existing))
    }

    /// A `config` that this repository's key does not open is not to be protected.
    async fn refuse_foreign_config(&self, present: &Present) -> Result<()> {
        let stored = super::files::read_config(&**self.storage()).await?;
        let stored = stored.ok_or_else(|| Error::damaged("the file `config` is missing"))?;
        self.master().open(&stored).map_err(Error::from)?;
        match present.config == Some(Id::of(&stored)) {
            true => Ok(()),
            false => Err(Error::damaged(
                "the file `config` reads differently each time",
            )),
        }
    }
}
