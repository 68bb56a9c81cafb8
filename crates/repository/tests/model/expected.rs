//! What must be there: a plain map beside the repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strongroom_repository::format::{Id, Snapshot};

use crate::tree::Files;
use crate::verify::{Content, differences};

/// The repositories of a run.
pub const REPOSITORIES: usize = 2;

/// A backup. Its snapshots carry the number wherever they are copied or tagged.
pub type Number = u64;

/// What every backup held, and which of them a repository must have.
#[derive(Default, Clone)]
pub struct Expected {
    contents: BTreeMap<Number, Vec<Arc<Files>>>,
    /// Backups of which a repair has told that something is lost.
    given_up: BTreeSet<Number>,
    required: [BTreeSet<Number>; REPOSITORIES],
    /// When somebody last began to remove snapshots of a backup.
    doomed: [BTreeMap<Number, u64>; REPOSITORIES],
    moments: u64,
    /// Snapshots that somebody with a key has published.
    signed: [BTreeSet<Id>; REPOSITORIES],
    /// Snapshots that somebody without a key was about to remove or to bring back.
    touched: [BTreeSet<Id>; REPOSITORIES],
}

/// A point in the order of events.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

impl Expected {
    /// A backup begins.
    pub fn begin(&mut self, files: &Arc<Files>) -> Number {
        let number = self.contents.len() as u64;
        self.contents.insert(number, vec![Arc::clone(files)]);
        number
    }

    /// What a backup may hold: what was backed up, or that without what a rewrite has left out.
    pub fn contents(&self) -> impl Iterator<Item = &Arc<Files>> {
        self.contents.values().flatten()
    }

    /// Fails unless that is what the backup may hold.
    pub fn compare(&self, number: Number, found: &Content) -> Result<(), String> {
        let contents = self.contents.get(&number);
        let contents = contents.ok_or("nobody made this backup")?;
        let compared: Vec<_> = contents
            .iter()
            .map(|files| differences(files, found))
            .collect();
        match compared.iter().any(Result::is_ok) || self.given_up.contains(&number) {
            true => Ok(()),
            false => compared.into_iter().next().unwrap_or(Ok(())),
        }
    }

    /// A rewrite is about to leave out whatever has this name.
    pub fn may_lack(&mut self, number: Number, name: &str) {
        let contents = self.contents.entry(number).or_default();
        for all in contents.clone() {
            let mut left = Files::clone(&all);
            left.retain(|path, _| path.split('/').all(|part| part != name));
            if !contents.iter().any(|files| **files == left) {
                contents.push(Arc::new(left));
            }
        }
    }

    /// Whether a rewrite or a repair has made something of it that no backup would make again.
    pub fn was_rewritten(&self, number: Number) -> bool {
        let contents = self.contents.get(&number);
        self.given_up.contains(&number) || contents.is_some_and(|contents| contents.len() > 1)
    }

    /// A repair has said that something of it is lost.
    pub fn give_up(&mut self, number: Number) {
        self.given_up.insert(number);
        for required in &mut self.required {
            required.remove(&number);
        }
    }

    pub fn signed(&mut self, repository: usize, ids: impl IntoIterator<Item = Id>) {
        self.signed[repository].extend(ids);
    }

    pub fn is_signed(&self, repository: usize, id: &Id) -> bool {
        self.signed[repository].contains(id)
    }

    pub fn touched(&mut self, repository: usize, ids: impl IntoIterator<Item = Id>) {
        self.touched[repository].extend(ids);
    }

    pub fn is_touched(&self, repository: usize, id: &Id) -> bool {
        self.touched[repository].contains(id)
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
