//! A bounded number of open directories.
//!
//! Directories wait in queues while a tree is walked, and a chain of them may be thousands deep: each keeps its way
//! (its parent and its name), and only the ones used lately keep a descriptor. One that was closed is opened again
//! from its nearest open ancestor.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::files::directory::Directory;

/// The directories that hold a descriptor, in the order in which they got it.
pub(super) struct Descriptors {
    limit: usize,
    holders: Mutex<VecDeque<Weak<Directory>>>,
}

impl Descriptors {
    /// Room for `limit` descriptors, at least one.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            holders: Mutex::default(),
        }
    }

    /// Takes note that a directory has opened its descriptor, and closes others until the limit is met.
    ///
    /// A directory that was used since the last look gets a second chance. Two rounds are enough to find one that is
    /// not in use; more descriptors than the limit are open only while threads work with them.
    pub fn opened(&self, directory: &Arc<Directory>) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.push_back(Arc::downgrade(directory));
        for _ in 0..2 * holders.len() {
            if holders.len() <= self.limit {
                break;
            }
            let Some(oldest) = holders.pop_front() else {
                break;
            };
            if oldest
                .upgrade()
                .is_some_and(|directory| !directory.close_if_idle())
            {
                holders.push_back(oldest);
            }
        }
    }
}
