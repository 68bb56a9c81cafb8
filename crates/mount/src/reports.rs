//! Telling of what cannot be read, once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_repository::progress::Progress;

/// So many are remembered; after that everything is told that comes up.
const REMEMBERED: usize = 4096;

/// Whoever reads a damaged file asks for it many times over; one line is enough.
pub struct Reports {
    progress: Arc<dyn Progress>,
    told: Mutex<HashSet<(Vec<u8>, String)>>,
}

impl Reports {
    pub fn new(progress: Arc<dyn Progress>) -> Self {
        Self {
            progress,
            told: Mutex::default(),
        }
    }

    /// Something at a path of the mount cannot be read.
    pub fn unreadable(&self, path: &[u8], error: &str) {
        if self.is_new(path, error) {
            self.progress.entry_error(path, "read", error);
        }
    }

    /// Something that concerns the whole mount.
    pub fn warning(&self, message: &str) {
        if self.is_new(b"", message) {
            self.progress.warning(message);
        }
    }

    fn is_new(&self, path: &[u8], message: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert((path.to_vec(), message.to_owned()))
    }
}
