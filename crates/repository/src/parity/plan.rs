//! Planning: which groups are to be made, and which go.

use std::collections::{HashMap, HashSet};

use tokio_util::sync::CancellationToken;

use super::arrange::{arrange, can_protect, capacity, is_small};
use super::encode::parity_bytes;
use super::existing::{Existing, StoredGroup, UnreadableGroup};
use super::files::{Name, Present, name};
use super::figures::ParityFigures;
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
    /// Members that are gone were removed on purpose: a prune has proved that nothing needs them, or the user says so.
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
            options: *options,
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
            false => Err(Error::damaged("the file `config` reads differently each time")),
        }
    }
}

struct Planner {
    percent: u8,
    options: ParityOptions,
    present: Present,
    removed: HashSet<Name>,
}

/// How the members of a group are.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    living: usize,
    /// Gone on purpose.
    removed: u64,
    /// Gone or of another size, and nothing explains it.
    missing: usize,
    /// Gone on purpose, and the descriptor does not say so yet.
    unmarked: usize,
}

impl Planner {
    fn is_living(&self, member: &ParityMember) -> bool {
        self.present.sizes.get(&name(member)) == Some(&member.size_bytes)
    }

    fn is_removed(&self, member: &ParityMember) -> bool {
        member.removed
            || self.removed.contains(&name(member))
            // The repository is open, so its `config` is the right one; another was replaced on purpose.
            || member.kind == ParityMemberKind::Config
            || (self.options.accept_missing && !self.present.sizes.contains_key(&name(member)))
    }

    fn state(&self, group: &ParityGroup) -> State {
        let mut state = State::default();
        for member in &group.members {
            if self.is_living(member) {
                state.living += 1;
            } else if self.is_removed(member) {
                state.removed += 1;
                state.unmarked += usize::from(!member.removed);
            } else {
                state.missing += 1;
            }
        }
        state
    }

    fn plan(self, existing: Existing) -> ParityPlan {
        let waste = existing.unreferenced();
        let mut plan = ParityPlan {
            percent: self.percent,
            figures: ParityFigures::default(),
            make: Vec::new(),
            retire: Vec::new(),
            mark: Vec::new(),
            keep: Vec::new(),
            damaged: Vec::new(),
            waste: Vec::new(),
            removed: HashSet::new(),
            unreadable: existing.unreadable,
            missing: Vec::new(),
            unprotectable: Vec::new(),
        };
        if self.options.exclusive {
            let damaged = plan.unreadable.iter().filter(|group| group.is_damaged);
            plan.damaged = damaged.map(|group| group.id).collect();
            plan.waste = waste;
        }
        let covered = self.sort_out(existing.groups, &mut plan);
        let mut pool = self.unprotected(&covered, &mut plan);
        self.merge_small(&mut pool, &mut plan);
        plan.make = arrange(pool.into_values().collect(), self.percent);
        self.mark(&mut plan);
        plan.removed = self.explained(&plan);
        self.count(&mut plan);
        plan
    }

    /// Keeps or retires each group; returns what the kept ones protect.
    fn sort_out(&self, mut groups: Vec<StoredGroup>, plan: &mut ParityPlan) -> HashSet<Name> {
        let mut covered: HashSet<Name> = HashSet::new();
        // Large ones first: they make small ones superfluous, and not the other way round.
        groups.sort_by_key(|stored| std::cmp::Reverse(stored.group.members.len()));
        for stored in groups {
            let state = self.state(&stored.group);
            // As long as a member may have to be brought back, its group stays as it is.
            let may_go = state.missing == 0 && self.options.exclusive;
            let members = stored.group.members.iter();
            let mut living = members.filter(|member| self.is_living(member));
            let superfluous = living.all(|member| covered.contains(&name(member)));
            if may_go && (superfluous || self.is_worn(&stored, state)) {
                plan.retire.push(stored);
                continue;
            }
            for member in &stored.group.members {
                if self.is_living(member) {
                    covered.insert(name(member));
                } else if !self.is_removed(member) {
                    plan.missing.push(name(member));
                }
            }
            plan.keep.push(stored);
        }
        plan.missing.sort_unstable();
        plan.missing.dedup();
        covered
    }

    /// Whether a group does not protect any more as it was asked to. A member that was removed costs the others one part:
    /// until half of the parts are used up that is borne, since making a group anew reads all of it.
    fn is_worn(&self, stored: &StoredGroup, state: State) -> bool {
        let parts = stored.group.parts();
        let left = stored.parts_present().saturating_sub(state.removed);
        stored.parts_present() < parts
            || left < parts.div_ceil(2)
            || self.options.percent.is_some_and(|percent| percent != stored.group.percent)
    }

    fn unprotected(
        &self,
        covered: &HashSet<Name>,
        plan: &mut ParityPlan,
    ) -> HashMap<Name, ParityMember> {
        let mut pool = HashMap::new();
        for (&(kind, id), &size_bytes) in &self.present.sizes {
            if covered.contains(&(kind, id)) {
                continue;
            }
            if !can_protect(size_bytes) {
                plan.unprotectable.push((kind, id));
                continue;
            }
            let member = ParityMember {
                kind,
                id,
                size_bytes,
                removed: false,
            };
            pool.insert((kind, id), member);
        }
        plan.unprotectable.sort_unstable();
        pool
    }

    /// Adds the members of small groups to those that need a group. A group is taken up only if there are at least as
    /// many others, so each time its members are read again it at least doubles: no file is read more than seven times
    /// before it is in a full group, and of groups that are not full there are no more than seven of a kind.
    fn merge_small(&self, pool: &mut HashMap<Name, ParityMember>, plan: &mut ParityPlan) {
        for small in [true, false] {
            let mut others = pool.values().filter(|file| is_small(file.size_bytes) == small).count();
            let mut candidates: Vec<(usize, usize)> = Vec::new();
            for (at, stored) in plan.keep.iter().enumerate() {
                let longest = stored.group.part_bytes();
                let living = self.state(&stored.group).living;
                let is_whole = self.state(&stored.group).missing == 0;
                let is_low = living.saturating_mul(2) < capacity(longest, self.percent);
                if is_whole && is_low && is_small(longest) == small {
                    candidates.push((living, at));
                }
            }
            candidates.sort_unstable();
            let mut taken = Vec::new();
            for (living, at) in candidates {
                if others < living || others == 0 {
                    break;
                }
                others = others.saturating_add(living);
                taken.push(at);
            }
            taken.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
            for at in taken {
                let stored = plan.keep.swap_remove(at);
                let members = stored.group.members.iter();
                for member in members.filter(|member| self.is_living(member)) {
                    pool.insert(name(member), *member);
                }
                plan.retire.push(stored);
            }
        }
    }

    fn mark(&self, plan: &mut ParityPlan) {
        if !self.options.exclusive {
            return;
        }
        for stored in &plan.keep {
            if self.state(&stored.group).unmarked == 0 {
                continue;
            }
            let mut group = stored.group.clone();
            for member in &mut group.members {
                member.removed |= !self.is_living(member) && self.is_removed(member);
            }
            plan.mark.push((stored.id, group));
        }
    }

    fn explained(&self, plan: &ParityPlan) -> HashSet<Name> {
        let members = plan.retire.iter().flat_map(|stored| &stored.group.members);
        let gone = members.filter(|member| !self.is_living(member) && self.is_removed(member));
        gone.map(name).collect()
    }

    fn count(&self, plan: &mut ParityPlan) {
        let figures = &mut plan.figures;
        let kept = plan.keep.iter().flat_map(|stored| &stored.group.members);
        let living: HashMap<Name, u64> = kept
            .filter(|member| self.is_living(member))
            .map(|member| (name(member), member.size_bytes))
            .collect();
        figures.files_protected = living.len() as u64;
        figures.bytes_protected = living.values().sum();
        for group in &plan.make {
            figures.files_to_protect += group.len() as u64;
            figures.bytes_to_read += group.iter().map(|member| member.size_bytes).sum::<u64>();
            figures.bytes_to_write += parity_bytes(group, self.percent);
        }
        figures.groups_new = plan.make.len() as u64;
        figures.groups_replaced = plan.retire.len() as u64;
        figures.groups_kept = plan.keep.len() as u64;
        figures.files_missing = plan.missing.len() as u64;
        figures.files_unprotectable = plan.unprotectable.len() as u64;
        figures.groups_unreadable = plan.unreadable.len() as u64;
        let parity = plan.keep.iter().map(|stored| stored.group.parity_bytes());
        figures.parity_bytes = parity.sum::<u64>().saturating_add(figures.bytes_to_write);
    }
}
