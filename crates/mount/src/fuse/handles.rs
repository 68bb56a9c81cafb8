//! What is open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open files or folders, each under a number that the kernel gives back.
pub struct Handles<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    open: HashMap<u64, Arc<T>>,
    last: u64,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                open: HashMap::new(),
                last: 0,
            }),
        }
    }
}

impl<T> Handles<T> {
    /// The number of something that was opened.
    pub fn open(&self, what: T) -> u64 {
        let mut inner = self.lock();
        inner.last = inner.last.wrapping_add(1);
        let number = inner.last;
        inner.open.insert(number, Arc::new(what));
        number
    }

    pub fn get(&self, number: u64) -> Option<Arc<T>> {
        self.lock().open.get(&number).cloned()
    }

    pub fn close(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
