//! Files that differ in their contents.
//!
//! The snapshots are gone through one after the other and in the order of the names, since in
//! [`super::StatsMode::BlobsPerFile`] it depends on the order which of two equal files is counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Scan, Stats};
use crate::Result;
use crate::format::{BlobKind, Id};
use crate::progress::Amount;
use crate::walk::{Entry, Step, Walk};

impl Scan<'_> {
    pub(super) async fn files_by_contents(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        let mut contents = Contents::default();
        let by_tree = |entry: &Entry| (entry.node.subtree, Vec::new());
        self.each_entry(by_tree, |entry| {
            if contents.is_new(entry) {
                stats.total_file_count += 1;
                let bytes = entry.node.size_bytes;
                stats.total_size_bytes = stats.total_size_bytes.saturating_add(bytes);
            }
        })
        .await?;
        Ok(stats)
    }

    pub(super) async fn blobs_per_file(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        let mut contents = Contents::default();
        let mut files: HashMap<Vec<u8>, HashSet<Id>> = HashMap::new();
        let by_tree_and_path = |entry: &Entry| (entry.node.subtree, entry.path.clone());
        self.each_entry(by_tree_and_path, |entry| {
            let content = entry.node.content.as_deref().unwrap_or_default();
            if !contents.is_new(entry) || content.is_empty() {
                return;
            }
            let blobs = files.entry(entry.path.clone()).or_insert_with(|| {
                stats.total_file_count += 1;
                HashSet::new()
            });
            for id in content.iter().filter(|id| blobs.insert(**id)) {
                let Some(location) = self.index.locate(BlobKind::Data, id) else {
                    self.damaged(&entry.path, &format!("blob {} is in no index", id.short()));
                    continue;
                };
                stats.total_blob_count += 1;
                let bytes = u64::from(location.plain_length());
                stats.total_size_bytes = stats.total_size_bytes.saturating_add(bytes);
            }
        })
        .await?;
        Ok(stats)
    }

    /// Shows the entries of all snapshots, going into directories only once for each key.
    async fn each_entry(
        &self,
        key: fn(&Entry) -> (Option<Id>, Vec<u8>),
        mut visit: impl FnMut(&Entry),
    ) -> Result<()> {
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let roots: HashSet<Id> = self.trees.iter().copied().collect();
        let mut trees = self.trees.to_vec();
        let mut first = roots;
        trees.retain(|tree| first.remove(tree));
        for tree in trees {
            let seen = Arc::clone(&seen);
            let (repository, index) = (self.repository.clone(), Arc::clone(self.index));
            let mut walk = Walk::new(repository, index, tree, b"/", self.cancel.clone())
                .descend_where(move |entry| {
                    seen.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(key(entry))
                });
            while let Some(step) = walk.next().await? {
                match step {
                    Step::Entry(entry) => {
                        self.progress.advance(Amount {
                            files: 1,
                            bytes: entry.node.size_bytes,
                            items: 0,
                        });
                        visit(&entry);
                    }
                    Step::Damage(damage) => self.damaged(&damage.path, &damage.error),
                    Step::Left(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// The contents that have been seen, as hashes of the identifiers of their blobs.
#[derive(Default)]
struct Contents(HashSet<Id>);

impl Contents {
    fn is_new(&mut self, entry: &Entry) -> bool {
        let content = entry.node.content.iter().flatten();
        let bytes: Vec<u8> = content.flat_map(|id| *id.as_bytes()).collect();
        self.0.insert(Id::of(&bytes))
    }
}
