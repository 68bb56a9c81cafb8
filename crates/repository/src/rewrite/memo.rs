//! Directories that were gone through, so that snapshots which share them share the work.

use std::collections::HashMap;

use super::tree::Rewritten;
use crate::format::Id;

/// What became of directories. Whether a pattern matches depends on the path, so that is part of the key.
#[derive(Debug, Default)]
pub(super) struct Memo(HashMap<(Id, Id), Rewritten>);

/// Directories that are remembered; 40 MB.
const MAX: usize = 1 << 18;

impl Memo {
    pub fn get(&self, path: &[u8], tree: &Id) -> Option<Rewritten> {
        self.0.get(&(Id::of(path), *tree)).copied()
    }

    pub fn insert(&mut self, path: &[u8], tree: &Id, rewritten: Rewritten) {
        if self.0.len() >= MAX {
            self.0.clear();
        }
        self.0.insert((Id::of(path), *tree), rewritten);
    }

    /// Forgets directories whose new trees are not stored yet.
    pub fn keep_unchanged(&mut self) {
        self.0
            .retain(|(_, tree), rewritten| rewritten.tree == *tree);
    }
}
