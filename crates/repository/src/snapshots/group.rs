//! Snapshots that belong together.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::SnapshotFile;
use crate::{Error, ErrorKind};

/// What the snapshots of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct GroupBy {
    pub host: bool,
    pub paths: bool,
    pub tags: bool,
}

impl Default for GroupBy {
    /// `host,paths`, the default of `forget`.
    fn default() -> Self {
        Self {
            host: true,
            paths: true,
            tags: false,
        }
    }
}

impl GroupBy {
    /// All snapshots in one group.
    pub const NOTHING: Self = Self {
        host: false,
        paths: false,
        tags: false,
    };

    /// Whether there is more than one group.
    pub fn is_used(self) -> bool {
        self != Self::NOTHING
    }
}

impl FromStr for GroupBy {
    type Err = Error;

    /// `host`, `paths` and `tags`, separated by commas; nothing at all for one group of everything.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut group_by = Self::NOTHING;
        for word in text.split(',') {
            match word {
                "host" | "hosts" => group_by.host = true,
                "path" | "paths" => group_by.paths = true,
                "tag" | "tags" => group_by.tags = true,
                "" => {}
                other => {
                    let message = format!("snapshots cannot be grouped by {other:?}");
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
            }
        }
        Ok(group_by)
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.host, "host"),
            (self.paths, "paths"),
            (self.tags, "tags"),
        ];
        let used: Vec<_> = words
            .iter()
            .filter(|(used, _)| *used)
            .map(|(_, word)| *word)
            .collect();
        f.write_str(&used.join(","))
    }
}

/// What the snapshots of a group have in common; as JSON it is restic's `group_key`.
///
/// What the grouping does not regard is the empty text or `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GroupKey {
    /// The host.
    pub hostname: String,
    /// The paths, sorted.
    pub paths: Option<Vec<String>>,
    /// The tags, sorted.
    pub tags: Option<Vec<String>>,
}

impl GroupKey {
    fn of(stored: &SnapshotFile, group_by: GroupBy) -> Self {
        let sorted = |used: bool, list: &[String]| {
            (used && !list.is_empty()).then(|| {
                let mut list = list.to_vec();
                list.sort();
                list
            })
        };
        Self {
            hostname: if group_by.host {
                stored.snapshot.hostname.clone()
            } else {
                String::new()
            },
            paths: sorted(group_by.paths, &stored.snapshot.paths),
            tags: sorted(group_by.tags, &stored.snapshot.tags),
        }
    }
}

impl fmt::Display for GroupKey {
    /// `host ada, paths [/x, /y], tags [a]`; empty where nothing is grouped by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |word: &str, list: &Option<Vec<String>>| {
            list.as_ref()
                .map(|list| format!("{word} [{}]", list.join(", ")))
        };
        let host = (!self.hostname.is_empty()).then(|| format!("host {}", self.hostname));
        let parts = [host, list("paths", &self.paths), list("tags", &self.tags)];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// Snapshots that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotGroup {
    /// What they have in common.
    pub key: GroupKey,
    /// The snapshots in the order in which they were given.
    pub snapshots: Vec<SnapshotFile>,
}

/// Puts snapshots into groups; the groups come in the order of their keys.
pub fn group_snapshots(snapshots: Vec<SnapshotFile>, group_by: GroupBy) -> Vec<SnapshotGroup> {
    let mut groups: BTreeMap<GroupKey, Vec<SnapshotFile>> = BTreeMap::new();
    for stored in snapshots {
        groups
            .entry(GroupKey::of(&stored, group_by))
            .or_default()
            .push(stored);
    }
    let group = |(key, snapshots)| SnapshotGroup { key, snapshots };
    groups.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::{GroupBy, group_snapshots};
    use crate::snapshots::example::snapshot;

    /// Snapshots in the wrong group are counted against another's policy, and removed.
    #[test]
    fn groups_hold_what_belongs_together() {
        let all = vec![
            snapshot("2024-01-01T00:00:00Z", "ada", &["b", "a"], &["/y", "/x"]),
            snapshot("2024-01-02T00:00:00Z", "ada", &["a", "b"], &["/x", "/y"]),
            snapshot("2024-01-03T00:00:00Z", "bob", &[], &["/x", "/y"]),
        ];
        let sizes = |group_by: &str| {
            group_snapshots(all.clone(), group_by.parse().unwrap())
                .iter()
                .map(|group| {
                    (
                        serde_json::to_string(&group.key).unwrap(),
                        group.snapshots.len(),
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            sizes(""),
            [(r#"{"hostname":"","paths":null,"tags":null}"#.to_owned(), 3)]
        );
        assert_eq!(
            sizes("host,path,tags"),
            [
                (
                    r#"{"hostname":"ada","paths":["/x","/y"],"tags":["a","b"]}"#.to_owned(),
                    2
                ),
                (
                    r#"{"hostname":"bob","paths":["/x","/y"],"tags":null}"#.to_owned(),
                    1
                ),
            ]
        );
        assert_eq!(sizes("paths").len(), 1);
        assert!("host,colour".parse::<GroupBy>().is_err());
        assert_eq!(GroupBy::default().to_string(), "host,paths");
        let groups = group_snapshots(all, GroupBy::default());
        assert_eq!(groups[0].key.to_string(), "host ada, paths [/x, /y]");
    }
}
