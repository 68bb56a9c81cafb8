//! Deciding which groups stay, which are merged or made anew, and which go.

use std::collections::{HashMap, HashSet};

use super::arrange::{arrange, can_protect, capacity, is_small};
use super::encode::parity_bytes;
use super::existing::{Existing, StoredGroup};
use super::figures::ParityFigures;
use super::files::{Name, Present, name};
use super::plan::{ParityOptions, ParityPlan};
use crate::format::parity::{ParityGroup, ParityMember, ParityMemberKind};

/// What is known when a plan is made.
pub(super) struct Planner {
    pub percent: u8,
    pub options: ParityOptions,
    pub present: Present,
    /// Files that this process has removed.
    pub removed: HashSet<Name>,
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

    pub fn plan(self, existing: Existing) -> ParityPlan {
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
            || self
                .options
                .percent
                .is_some_and(|percent| percent != stored.group.percent)
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
            let mut others = pool
                .values()
                .filter(|file| is_small(file.size_bytes) == small)
                .count();
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
