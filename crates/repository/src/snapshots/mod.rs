//! Which snapshots are meant: by filter, by identifier, by time, in groups.

mod filter;
mod group;
mod reference;
mod select;

pub use crate::repository::SnapshotFile;
pub use filter::{SnapshotFilter, TagList};
pub use group::{GroupBy, GroupKey, SnapshotGroup, group_snapshots};
pub use reference::{SnapshotName, SnapshotReference, newest, resolve_prefix};
pub use select::{select_all, select_named, select_one};

/// Puts the newest first. Snapshots of the same instant come in the order of their identifiers, so that two runs agree.
pub fn sort_newest_first(snapshots: &mut [SnapshotFile]) {
    snapshots.sort_by(|a, b| b.snapshot.time.cmp(&a.snapshot.time).then(a.id.cmp(&b.id)));
}

#[cfg(test)]
pub(crate) mod example {
    //! Snapshots for tests.

    use super::SnapshotFile;
    use crate::format::{Id, Snapshot};

    /// A snapshot of a time with an offset: `2024-03-31T02:30:00+02:00`; its identifier is made of all that is given.
    pub fn snapshot(time: &str, host: &str, tags: &[&str], paths: &[&str]) -> SnapshotFile {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        SnapshotFile {
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
