//! What is damaged or missing, and what can be done about it.

use std::collections::{BTreeMap, HashMap, HashSet};

use strongroom_storage::Storage;
use tokio_util::sync::CancellationToken;

use super::health::Health;
use crate::format::Id;
use crate::format::parity::{ParityMember, ParityMemberKind};
use crate::parity::existing::{Existing, StoredGroup, UnreadableGroup};
use crate::parity::files::{Name, Present, name};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::workers::Workers;
use crate::{Error, Result};

/// What is known of the repository, and what is asked for.
#[derive(Debug, Clone, Default)]
pub struct RecoverOptions {
    /// Read every protected file and all parity. Otherwise damage is what a listing shows: names and sizes.
    pub read_data: bool,
    /// Bring back every file that is missing, though another program may have removed it on purpose.
    pub missing: bool,
    /// What the repository needs, if it could be opened. Then its `config` is good, too.
    pub needed: Option<Needed>,
    /// Put `config` back as parity knows it, even if there is another: the caller has seen that it cannot be read.
    pub replace_config: bool,
}

/// What the indexes of a repository name.
#[derive(Debug, Clone, Default)]
pub struct Needed {
    /// Packs that an index names.
    pub packs: HashSet<Id>,
}

/// Asks the index of an open repository which packs are needed. `None` where it cannot be read.
///
/// # Errors
/// The storage's.
pub async fn needed(repository: &Repository, progress: &dyn Progress) -> Result<Needed> {
    match repository.load_index(progress).await {
        Ok(index) => Ok(Needed {
            packs: index.packs().iter().copied().collect(),
        }),
        Err(error) if error.kind() == crate::ErrorKind::Damaged => Ok(Needed::default()),
        Err(error) => Err(error),
    }
}

/// How a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is not there.
    Missing,
    /// It is there with other bytes.
    Damaged,
}

/// What can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It will be brought back.
    Recover,
    /// It may have been removed on purpose: nothing is known to need it, and it was not asked for.
    NotAskedFor,
    /// There is a `config` that may be newer than the one that parity knows.
    OtherConfig,
    /// Too much of its group is damaged.
    NotEnoughParity,
}

/// A protected file that is damaged or missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverItem {
    /// What kind of file it is.
    pub kind: ParityMemberKind,
    /// Its name.
    pub id: Id,
    /// Its size when it is whole.
    pub size_bytes: u64,
    /// How it is.
    pub condition: Condition,
    /// What can be done about it.
    pub verdict: Verdict,
    /// The group, and the place in it.
    pub(super) place: (usize, usize),
}

/// What would be brought back.
#[derive(Debug, Clone)]
pub struct RecoverPlan {
    pub(super) items: Vec<RecoverItem>,
    pub(super) groups: Vec<StoredGroup>,
    pub(super) health: HashMap<usize, Health>,
    unreadable: Vec<UnreadableGroup>,
    /// Parity files that are there and damaged, each with its group.
    pub(super) damaged_parity: Vec<(usize, Id)>,
}

impl RecoverPlan {
    /// Whether there is any parity that can be read.
    pub fn has_parity(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The files that are damaged or missing.
    pub fn items(&self) -> &[RecoverItem] {
        &self.items
    }

    /// Those of them that will be brought back.
    pub fn to_recover(&self) -> impl Iterator<Item = &RecoverItem> {
        let items = self.items.iter();
        items.filter(|item| item.verdict == Verdict::Recover)
    }

    /// Descriptors that cannot be read: what they protected, nobody knows.
    pub fn unreadable(&self) -> &[UnreadableGroup] {
        &self.unreadable
    }

    /// Parity files that were examined and found to be damaged.
    pub fn damaged_parity(&self) -> u64 {
        self.damaged_parity.len() as u64
    }

    /// Parity files that are missing or have another length, as the listing shows. They are not removed; whatever writes next
    /// makes the groups anew that lack them.
    pub fn lacking_parity(&self) -> u64 {
        let present = self.groups.iter().flat_map(|stored| &stored.files_present);
        present.filter(|is_present| !**is_present).count() as u64
    }

    /// Nothing would be written or removed.
    pub fn is_nothing(&self) -> bool {
        self.damaged_parity.is_empty() && self.to_recover().next().is_none()
    }
}

/// Finds out what is damaged or missing among the protected files, and what can be brought back. Changes nothing.
///
/// Groups with damage are read whole, all of them with [`RecoverOptions::read_data`].
///
/// # Errors
/// The storage's, [`crate::ErrorKind::Cancelled`].
pub async fn plan(
    storage: &dyn Storage,
    workers: &Workers,
    options: &RecoverOptions,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<RecoverPlan> {
    let existing = Existing::load(storage).await?;
    let present = Present::survey(storage).await?;
    let mut planner = Planner {
        options,
        present,
        configs: existing.groups.iter().flat_map(configs).collect(),
        found: BTreeMap::new(),
    };
    let mut plan = RecoverPlan {
        items: Vec::new(),
        groups: existing.groups,
        health: HashMap::new(),
        unreadable: existing.unreadable,
        damaged_parity: Vec::new(),
    };
    progress.begin(Phase::ReadData);
    for (at, stored) in plan.groups.iter().enumerate() {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        if !options.read_data && !planner.has_suspects(stored) {
            continue;
        }
        let members = stored.group.members.iter();
        let bytes: u64 = members.map(|member| member.size_bytes).sum();
        progress.add_total(Amount {
            bytes: bytes.saturating_add(stored.group.parity_bytes()),
            ..Amount::default()
        });
        let health = Health::examine(storage, workers, &stored.group, progress, cancel).await?;
        let damaged = damaged_files(stored, health.as_ref());
        plan.damaged_parity.extend(damaged.map(|id| (at, id)));
        planner.judge(at, stored, health.as_ref());
        if let Some(health) = health {
            plan.health.insert(at, health);
        }
    }
    progress.total_known();
    plan.items = planner.found.into_values().collect();
    Ok(plan)
}

fn configs(stored: &StoredGroup) -> impl Iterator<Item = Id> {
    let members = stored.group.members.iter();
    let configs =
        members.filter(|member| member.kind == ParityMemberKind::Config && !member.removed);
    configs.map(|member| member.id)
}

/// Parity files that are there and have a damaged part, or none that is known.
fn damaged_files<'a>(
    stored: &'a StoredGroup,
    health: Option<&'a Health>,
) -> impl Iterator<Item = Id> + 'a {
    let mut first = 0;
    let files = stored.group.files.iter().zip(&stored.files_present);
    files.filter_map(move |(file, is_present)| {
        let last = first + file.parts;
        let parts = std::mem::replace(&mut first, last)..last;
        let mut parts = parts.filter_map(|part| usize::try_from(part).ok());
        let is_whole = health.is_some_and(|health| {
            !health.damaged_tables.contains(&file.id)
                && parts.all(|part| health.is_whole_part(part))
        });
        (*is_present && !is_whole).then_some(file.id)
    })
}

struct Planner<'a> {
    options: &'a RecoverOptions,
    present: Present,
    /// What groups know as `config`.
    configs: HashSet<Id>,
    found: BTreeMap<Name, RecoverItem>,
}

impl Planner<'_> {
    /// How a member is by the listing; `None` if it looks whole, or is not to be looked at.
    fn condition(&self, member: &ParityMember) -> Option<Condition> {
        if member.removed {
            return None;
        }
        if member.kind == ParityMemberKind::Config {
            // It is named by its place: another one that is known, or that opens, has taken its place.
            let current = self.present.config;
            let is_good = self.options.needed.is_some()
                || current.is_some_and(|config| self.configs.contains(&config));
            return match current {
                None => Some(Condition::Missing),
                Some(_) if is_good => None,
                Some(_) => Some(Condition::Damaged),
            };
        }
        match self.present.sizes.get(&name(member)) {
            None => Some(Condition::Missing),
            Some(size_bytes) if *size_bytes != member.size_bytes => Some(Condition::Damaged),
            Some(_) => None,
        }
    }

    fn has_suspects(&self, stored: &StoredGroup) -> bool {
        let members = stored.group.members.iter();
        members
            .into_iter()
            .any(|member| self.condition(member).is_some())
    }

    fn judge(&mut self, group: usize, stored: &StoredGroup, health: Option<&Health>) {
        for (at, member) in stored.group.members.iter().enumerate() {
            let is_read_damaged = || {
                let whole = health.is_none_or(|health| health.is_member_whole(at));
                let is_there = self.present.sizes.contains_key(&name(member));
                (!whole && is_there && !member.removed).then_some(Condition::Damaged)
            };
            let Some(condition) = self.condition(member).or_else(is_read_damaged) else {
                continue;
            };
            let is_whole = health.is_some_and(|health| health.is_member_whole(at));
            if condition == Condition::Missing && is_whole {
                // A listing did not show it, and there it is.
                continue;
            }
            let can = health.is_some_and(|health| health.can_rebuild(at));
            let verdict = match self.refusal(member, condition) {
                Some(refusal) => refusal,
                None if can => Verdict::Recover,
                None => Verdict::NotEnoughParity,
            };
            let item = RecoverItem {
                kind: member.kind,
                id: member.id,
                size_bytes: member.size_bytes,
                condition,
                verdict,
                place: (group, at),
            };
            // It may be in another group, too, which can do more for it.
            let known = self.found.entry(name(member)).or_insert(item);
            if item.verdict < known.verdict {
                *known = item;
            }
        }
    }

    fn refusal(&self, member: &ParityMember, condition: Condition) -> Option<Verdict> {
        let is_config = member.kind == ParityMemberKind::Config;
        match condition {
            Condition::Damaged if is_config && !self.options.replace_config => {
                Some(Verdict::OtherConfig)
            }
            Condition::Damaged => None,
            Condition::Missing => (!self.is_needed(member)).then_some(Verdict::NotAskedFor),
        }
    }

    fn is_needed(&self, member: &ParityMember) -> bool {
        let needed = self.options.needed.as_ref();
        self.options.missing
            || match member.kind {
                ParityMemberKind::Config => true,
                ParityMemberKind::Key => {
                    let mut kinds = self.present.sizes.keys().map(|(kind, _)| *kind);
                    !kinds.any(|kind| kind == ParityMemberKind::Key)
                }
                ParityMemberKind::Pack => {
                    needed.is_some_and(|needed| needed.packs.contains(&member.id))
                }
                ParityMemberKind::Index | ParityMemberKind::Snapshot => false,
            }
    }
}
