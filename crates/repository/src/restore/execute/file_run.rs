//! One file while it is written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::outcome::Event;
use crate::restore::plan::{FileStep, PlannedEntry, Step};
use crate::restore::{Basis, NewFile, Problem, RestorePlan, TargetFile, TargetResult};

/// A file that is begun with its first blob and finished with its last.
///
/// Blobs arrive on any thread and in any order. After a failure the rest is passed over; dropping the target's file
/// takes back what was begun.
pub(super) struct FileRun {
    entry: usize,
    /// Writes that are still to come.
    missing: AtomicUsize,
    state: RwLock<State>,
}

enum State {
    Waiting,
    Open(Box<dyn TargetFile>),
    /// Finished, failed or given up.
    Over,
}

impl FileRun {
    pub(super) fn new(entry: usize, writes: usize) -> Self {
        Self {
            entry,
            missing: AtomicUsize::new(writes),
            state: RwLock::new(State::Waiting),
        }
    }

    /// Writes one blob; finishes the file if it was the last.
    pub(super) fn write(
        &self,
        plan: &RestorePlan,
        offset: u64,
        data: &[u8],
        zero: bool,
        events: &mut Vec<Event>,
    ) {
        events.push(Event::Bytes(data.len() as u64));
        if !zero && let Some(event) = self.write_whole(plan, offset, data) {
            self.missing.store(0, Ordering::Release);
            events.push(event);
            return;
        }
        let written = self.begin(plan).and_then(|()| {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            match &*state {
                State::Open(file) if zero => file.zero_at(offset, data.len() as u64),
                State::Open(file) => file.write_at(offset, data),
                State::Waiting | State::Over => Ok(()),
            }
        });
        if let Err(error) = written {
            events.extend(self.fail(error.into()));
        }
        events.extend(self.arrived(plan));
    }

    /// Writes a file that is one blob, as most are. `None` if it is not, or was given up.
    fn write_whole(&self, plan: &RestorePlan, offset: u64, data: &[u8]) -> Option<Event> {
        let (entry, file) = self.planned(plan)?;
        let is_whole = offset == 0
            && data.len() as u64 == entry.node.size_bytes
            && file.basis == Basis::Nothing
            && !file.has_leftover
            && !plan.options.sparse
            && self.missing.load(Ordering::Acquire) == 1;
        if !is_whole {
            return None;
        }
        // Held to the end: whoever gives the files up waits for what is being written.
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Waiting) {
            return None;
        }
        *state = State::Over;
        let attributes = &plan.options.attributes;
        let written =
            plan.target
                .write_file(&entry.path, file.place, data, &entry.node, attributes);
        Some(match written {
            Ok(withheld) => Event::Done(self.entry, withheld),
            Err(error) => Event::Failed(self.entry, error.into()),
        })
    }

    fn planned<'a>(&self, plan: &'a RestorePlan) -> Option<(&'a PlannedEntry, &'a FileStep)> {
        let entry = plan.entries.get(self.entry)?;
        match &entry.step {
            Step::WriteFile(file) => Some((entry, file)),
            _ => None,
        }
    }

    /// A blob cannot be had.
    pub(super) fn lose(
        &self,
        plan: &RestorePlan,
        message: &str,
        kind: crate::ErrorKind,
        events: &mut Vec<Event>,
    ) {
        let path = plan
            .entries
            .get(self.entry)
            .map(|entry| entry.path.absolute());
        let problem = Problem::new(path.unwrap_or_default(), "load", kind, message);
        events.extend(self.fail(problem));
        events.extend(self.arrived(plan));
    }

    /// Whether nothing of it comes from the repository.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.load(Ordering::Acquire) == 0
    }

    /// A file that needs nothing from the repository.
    pub(super) fn complete(&self, plan: &RestorePlan) -> Vec<Event> {
        match self.begin(plan) {
            Ok(()) => self.finish(plan).into_iter().collect(),
            Err(error) => self.fail(error.into()).into_iter().collect(),
        }
    }

    /// Gives the file up; what was begun is taken back.
    pub(super) fn abandon(&self) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::Over;
    }

    /// Gives the file up for now; whether what was written to it stays for the next restore.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Over) {
            State::Open(file) => file.leave(),
            State::Waiting | State::Over => false,
        }
    }

    fn begin(&self, plan: &RestorePlan) -> TargetResult<()> {
        let waiting = |state: &State| matches!(state, State::Waiting);
        if !waiting(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !waiting(&state) {
            return Ok(());
        }
        let Some((entry, file)) = self.planned(plan) else {
            return Ok(());
        };
        let new = NewFile {
            size_bytes: entry.node.size_bytes,
            basis: file.basis.clone(),
            place: file.place,
            sparse: plan.options.sparse,
        };
        *state = State::Open(plan.target.create_file(&entry.path, &new)?);
        Ok(())
    }

    /// Counts a write; the last one finishes the file.
    fn arrived(&self, plan: &RestorePlan) -> Option<Event> {
        (self.missing.fetch_sub(1, Ordering::AcqRel) == 1)
            .then(|| self.finish(plan))
            .flatten()
    }

    fn finish(&self, plan: &RestorePlan) -> Option<Event> {
        let entry = plan.entries.get(self.entry)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State::Open(file) = std::mem::replace(&mut *state, State::Over) else {
            return None;
        };
        Some(match file.finish(&entry.node, &plan.options.attributes) {
            Ok(withheld) => Event::Done(self.entry, withheld),
            Err(error) => Event::Failed(self.entry, error.into()),
        })
    }

    /// The first failure of a file is the one that is told.
    fn fail(&self, problem: Problem) -> Option<Event> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Over) {
            State::Over => None,
            State::Waiting | State::Open(_) => Some(Event::Failed(self.entry, problem)),
        }
    }
}
