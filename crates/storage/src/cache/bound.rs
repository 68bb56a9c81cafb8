//! Keeps the copies of all storages within a size.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::directory;

/// A copy that may have to go; ordered by who goes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) last_used: SystemTime,
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
}

/// What has to be known to stay within the bound.
#[derive(Debug)]
pub(super) struct Bound {
    max_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nobody has counted yet.
    Unknown,
    /// So many bytes are stored, as far as this process knows.
    Used(u64),
    /// What is left is in use; nothing more goes in.
    Full,
}

impl Bound {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            state: Mutex::new(State::Unknown),
        }
    }

    /// Whether a file of this size can ever go in; what says yes may still find the cache full.
    pub(super) fn may_take(&self, size_bytes: u64) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        size_bytes <= self.max_bytes && !matches!(*state, State::Full)
    }

    /// Makes room for a file and counts it. `false` where it must not be stored.
    pub(super) fn make_room(
        &self,
        root: &Path,
        size_bytes: u64,
        in_use: impl Fn(&Path) -> bool,
    ) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let used = match *state {
            State::Full => return false,
            State::Used(bytes) => bytes,
            State::Unknown => directory::copies(root)
                .iter()
                .map(|copy| copy.size_bytes)
                .sum(),
        };
        let (fits, used) = self.evict(root, used, size_bytes, in_use);
        *state = if fits {
            State::Used(used.saturating_add(size_bytes))
        } else {
            State::Full
        };
        fits
    }

    /// Removes copies where the new file would not fit: down to nine tenths, so that the next ones need no walk.
    fn evict(
        &self,
        root: &Path,
        used: u64,
        size_bytes: u64,
        in_use: impl Fn(&Path) -> bool,
    ) -> (bool, u64) {
        let fits = |used: u64| used.saturating_add(size_bytes) <= self.max_bytes;
        if fits(used) {
            return (true, used);
        }
        let mut copies = directory::copies(root);
        copies.sort();
        let mut left: u64 = copies.iter().map(|copy| copy.size_bytes).sum();
        let goal = (self.max_bytes / 10).saturating_mul(9);
        for copy in copies {
            if fits(left) && left <= goal {
                break;
            }
            if !in_use(&copy.path) && fs::remove_file(&copy.path).is_ok() {
                left = left.saturating_sub(copy.size_bytes);
            }
        }
        (fits(left), left)
    }
}
