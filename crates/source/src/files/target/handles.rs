//! A bounded number of open descriptors, the one used longest ago closed first.

use std::collections::HashMap;
use std::hash::Hash;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Descriptors by a key. One that somebody still holds stays open until he lets go of it.
pub(super) struct Handles<K> {
    limit: usize,
    state: Mutex<State<K>>,
}

struct State<K> {
    clock: u64,
    open: HashMap<K, (Arc<OwnedFd>, u64)>,
}

impl<K: Eq + Hash + Clone> Handles<K> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::new(State {
                clock: 0,
                open: HashMap::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<Arc<OwnedFd>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        let (fd, used) = state.open.get_mut(key)?;
        *used = now;
        Some(Arc::clone(fd))
    }

    pub(super) fn insert(&self, key: K, fd: Arc<OwnedFd>) {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        // Half of them go at once, so that the search for the oldest is paid for once in a while.
        if state.open.len() >= self.limit {
            let mut uses: Vec<u64> = state.open.values().map(|(_, used)| *used).collect();
            let middle = uses.len() / 2;
            let (_, &mut oldest_kept, _) = uses.select_nth_unstable(middle);
            state.open.retain(|_, (_, used)| *used >= oldest_kept);
        }
        state.open.insert(key, (fd, now));
    }

    pub(super) fn remove<Q>(&self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.state().open.remove(key);
    }

    pub(super) fn clear(&self) {
        self.state().open.clear();
    }
}
