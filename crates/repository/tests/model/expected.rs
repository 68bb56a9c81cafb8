//! What must be there: a plain map beside the repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strongroom_repository::format::Snapshot;

use crate::tree::Files;

/// The repositories of a run.
pub const REPOSITORIES: usize = 2;

/// A backup. Its snapshots carry the number wherever they are copied or tagged.
pub type Number = u64;

/// What every backup held, and which of them a repository must have.
#[derive(Default, Clone)]
pub struct Expected {
    contents: BTreeMap<Number, Arc<Files>>,
    required: [BTreeSet<Number>; REPOSITORIES],
    /// When somebody last began to remove snapshots of a backup.
    doomed: [BTreeMap<Number, u64>; REPOSITORIES],
    moments: u64,
}

/// A point in the order of events.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

impl Expected {
    /// A backup begins.
    pub fn begin(&mut self, files: &Arc<Files>) -> Number {
        let number = self.contents.len() as u64;
        self.contents.insert(number, Arc::clone(files));
        number
    }

    pub fn files(&self, number: Number) -> Option<&Arc<Files>> {
        self.contents.get(&number)
    }

    /// Now.
    pub fn moment(&mut self) -> Moment {
        self.moments += 1;
        Moment(self.moments)
    }

    /// An operation that began at that moment said that the backup is there. It must stay, unless somebody has removed it
    /// meanwhile.
    pub fn stored(&mut self, repository: usize, number: Number, since: Moment) {
        let doomed = self.doomed[repository].get(&number);
        if doomed.is_none_or(|moment| *moment < since.0) {
            self.required[repository].insert(number);
        }
    }

    /// Somebody is about to remove snapshots of the backup: it may be gone from now on.
    pub fn doom(&mut self, repository: usize, number: Number) {
        let moment = self.moment().0;
        self.doomed[repository].insert(number, moment);
        self.required[repository].remove(&number);
    }

    pub fn required(&self, repository: usize) -> &BTreeSet<Number> {
        &self.required[repository]
    }
}

/// What a snapshot says of itself so that it can be told apart.
pub fn program_version(number: Number) -> String {
    format!("model {number}")
}

/// The backup that a snapshot is of.
pub fn number_of(snapshot: &Snapshot) -> Option<Number> {
    snapshot
        .program_version
        .strip_prefix("model ")?
        .parse()
        .ok()
}
