//! Which snapshots are meant: by filter, by identifier, by time, in groups.

mod filter;
mod group;
mod reference;

pub use filter::{SnapshotFilter, TagList};
pub use group::{GroupBy, GroupKey, SnapshotGroup, group_snapshots};
pub use reference::{SnapshotName, SnapshotReference, newest, resolve_prefix};

use crate::format::{Id, Snapshot};

/// A snapshot together with the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The file's name.
    pub id: Id,
    /// What it says.
    pub snapshot: Snapshot,
}

impl StoredSnapshot {
    /// Puts the newest first. Snapshots of the same instant come in the order of their identifiers, so that two runs agree.
    pub fn sort_newest_first(snapshots: &mut [Self]) {
        snapshots.sort_by(|a, b| b.snapshot.time.cmp(&a.snapshot.time).then(a.id.cmp(&b.id)));
    }

    /// Puts the oldest first; the reverse of [`Self::sort_newest_first`].
    pub fn sort_oldest_first(snapshots: &mut [Self]) {
        snapshots.sort_by(|a, b| a.snapshot.time.cmp(&b.snapshot.time).then(b.id.cmp(&a.id)));
    }
}

#[cfg(test)]
pub(crate) mod example {
    //! Snapshots for tests.

    use super::StoredSnapshot;
    use crate::format::{Id, Snapshot};

    /// A snapshot of a time with an offset: `2024-03-31T02:30:00+02:00`; its identifier is made of all that is given.
    pub fn snapshot(time: &str, host: &str, tags: &[&str], paths: &[&str]) -> StoredSnapshot {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        StoredSnapshot {
            id: Id::of(format!("{time} {host} {tags:?} {paths:?}").as_bytes()),
            snapshot: Snapshot {
                time: time.parse().unwrap(),
                parent: None,
                tree: Id::of(b"tree"),
                paths: owned(paths),
                hostname: host.to_owned(),
                username: String::new(),
                uid: 0,
                gid: 0,
                excludes: Vec::new(),
                tags: owned(tags),
                original: None,
                program_version: String::new(),
                summary: None,
            },
        }
    }
}
