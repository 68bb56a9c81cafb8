//! What a rewrite does.

use super::DropMetadata;
use crate::format::{Id, Snapshot, SnapshotSummary, Time};
use crate::pattern::PatternSet;
use crate::repository::SnapshotFile;
use crate::rewrite::Entries;
use crate::{Error, ErrorKind, Result};

/// What is changed of snapshots. Names and meaning are restic's, where restic has it.
#[derive(Debug, Clone)]
pub struct RewriteOptions {
    /// Entries that are left out, directories with all that is in them.
    pub exclude: PatternSet,
    /// Metadata that is left out of all entries.
    pub drop: DropMetadata,
    /// Another host.
    pub new_host: Option<String>,
    /// Another time.
    pub new_time: Option<Time>,
    /// Figures of the content are added where a snapshot has none.
    pub snapshot_summary: bool,
    /// Old snapshots are removed when the new ones are there.
    pub forget: bool,
}

/// What marks the new ones, where the old ones stay.
const TAG: &str = "rewrite";

impl RewriteOptions {
    pub(super) fn check(&self) -> Result<()> {
        let no_metadata = self.new_host.is_none() && self.new_time.is_none();
        if no_metadata && !self.looks_into_trees() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "nothing is to be left out and no metadata is to be changed",
            ));
        }
        Ok(())
    }

    /// Whether trees have to be read.
    pub(super) fn looks_into_trees(&self) -> bool {
        !self.exclude.is_empty() || !self.drop.is_empty() || self.snapshot_summary
    }

    /// The new snapshot with this tree and content; `None` if nothing changes.
    pub(super) fn change(
        &self,
        old: &SnapshotFile,
        tree: Id,
        kept: Option<Entries>,
    ) -> Option<Snapshot> {
        let summary = match kept {
            None => old.snapshot.summary.clone(),
            Some(kept) => Some(SnapshotSummary {
                total_files_processed: kept.files,
                total_bytes_processed: kept.bytes,
                ..old.snapshot.summary.clone().unwrap_or_default()
            }),
        };
        let is_same = tree == old.snapshot.tree
            && summary == old.snapshot.summary
            && self.new_host.is_none()
            && self.new_time.is_none();
        if is_same {
            return None;
        }
        let mut new = Snapshot {
            tree,
            summary,
            original: Some(old.id),
            ..old.snapshot.clone()
        };
        if !self.forget && !new.tags.iter().any(|tag| tag == TAG) {
            new.tags.push(TAG.to_owned());
        }
        if let Some(host) = &self.new_host {
            new.hostname.clone_from(host);
        }
        if let Some(time) = self.new_time {
            new.time = time;
        }
        Some(new)
    }
}
