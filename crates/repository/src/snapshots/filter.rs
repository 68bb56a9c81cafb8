//! Choosing snapshots by host, tags, paths and time.

use std::fmt;

use jiff::Timestamp;

use super::SnapshotFile;
use crate::format::Snapshot;
use crate::pattern::clean;

/// Tags that a snapshot must have all of: `a,b`. The empty tag stands for a snapshot without tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagList(Vec<String>);

impl TagList {
    /// Splits at commas; white space around a tag does not count.
    pub fn parse(text: &str) -> Self {
        Self(text.split(',').map(|tag| tag.trim().to_owned()).collect())
    }

    /// The tags.
    pub fn tags(&self) -> &[String] {
        &self.0
    }

    /// Whether the snapshot has all tags of the list.
    pub fn matches(&self, snapshot: &Snapshot) -> bool {
        for tag in &self.0 {
            if tag.is_empty() && snapshot.tags.is_empty() {
                return true;
            }
            if !snapshot.tags.contains(tag) {
                return false;
            }
        }
        true
    }
}

impl fmt::Display for TagList {
    /// restic's notation: `[a, b]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(", "))
    }
}

/// What snapshots must have. The default lets every snapshot through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotFilter {
    /// One of these hosts, where any are named.
    pub hosts: Vec<String>,
    /// All tags of one of these lists, where any are named.
    pub tags: Vec<TagList>,
    /// All of these absolute paths.
    pub paths: Vec<String>,
    /// Taken at this instant or before.
    pub until: Option<Timestamp>,
}

impl SnapshotFilter {
    /// Whether every snapshot passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the snapshot passes.
    pub fn matches(&self, snapshot: &Snapshot) -> bool {
        (self.hosts.is_empty() || self.hosts.contains(&snapshot.hostname))
            && (self.tags.is_empty() || self.tags.iter().any(|list| list.matches(snapshot)))
            && self.paths.iter().all(|path| has_path(snapshot, path))
            && self
                .until
                .is_none_or(|until| snapshot.time.instant() <= until)
    }

    /// The snapshots that pass.
    pub fn choose(&self, snapshots: Vec<SnapshotFile>) -> Vec<SnapshotFile> {
        let passes = |stored: &SnapshotFile| self.matches(&stored.snapshot);
        snapshots.into_iter().filter(passes).collect()
    }
}

impl fmt::Display for SnapshotFilter {
    /// What is asked for: `host ada or bob, tags [a, b], path /x, until 2024-01-01T00:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<_> = self.tags.iter().map(ToString::to_string).collect();
        let part = |word: &str, list: &[String], between: &str| {
            (!list.is_empty()).then(|| format!("{word} {}", list.join(between)))
        };
        let parts = [
            part("host", &self.hosts, " or "),
            part("tags", &tags, " or "),
            part("path", &self.paths, " and "),
            self.until.map(|until| format!("until {until}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Whether the path was backed up by name; a trailing slash or `//` in the request does not matter.
fn has_path(snapshot: &Snapshot, path: &str) -> bool {
    let cleaned = clean(path.as_bytes());
    snapshot
        .paths
        .iter()
        .any(|known| known == path || known.as_bytes() == cleaned)
}

#[cfg(test)]
mod tests {
    use super::{SnapshotFilter, TagList};
    use crate::snapshots::example::snapshot;

    fn filter(hosts: &[&str], tags: &[&str], paths: &[&str]) -> SnapshotFilter {
        SnapshotFilter {
            hosts: hosts.iter().map(ToString::to_string).collect(),
            tags: tags.iter().map(|list| TagList::parse(list)).collect(),
            paths: paths.iter().map(ToString::to_string).collect(),
            until: None,
        }
    }

    /// A filter that lets too much through makes `forget` remove other people's snapshots.
    #[test]
    fn hosts_tags_and_paths_narrow_the_choice() {
        let tagged = snapshot("2024-01-01T00:00:00Z", "ada", &["a", "b"], &["/x", "/y"]).snapshot;
        let bare = snapshot("2024-01-01T00:00:00Z", "bob", &[], &["/x"]).snapshot;
        for (filter, passes_tagged, passes_bare) in [
            (filter(&[], &[], &[]), true, true),
            (filter(&["ada"], &[], &[]), true, false),
            (filter(&["ada", "bob"], &[], &[]), true, true),
            (filter(&["AD"], &[], &[]), false, false),
            (filter(&[], &["a,b"], &[]), true, false),
            (filter(&[], &["a,c"], &[]), false, false),
            (filter(&[], &["a,c", "b"], &[]), true, false),
            (filter(&[], &[" a , b "], &[]), true, false),
            (filter(&[], &[""], &[]), false, true),
            (filter(&[], &["", "a"], &[]), true, true),
            (filter(&[], &[], &["/x"]), true, true),
            (filter(&[], &[], &["/x/", "/y"]), true, false),
            (filter(&[], &[], &["/"]), false, false),
            (filter(&["bob"], &["a"], &[]), false, false),
        ] {
            assert_eq!(filter.matches(&tagged), passes_tagged, "tagged: {filter:?}");
            assert_eq!(filter.matches(&bare), passes_bare, "bare: {filter:?}");
        }
    }

    #[test]
    fn an_instant_is_the_last_that_passes() {
        let mut filter = SnapshotFilter::default();
        assert!(filter.is_empty());
        filter.until = Some("2024-01-01T12:00:00Z".parse().unwrap());
        let at = |time| filter.matches(&snapshot(time, "", &[], &[]).snapshot);
        assert!(at("2024-01-01T12:00:00Z") && at("2024-01-01T13:00:00+01:00"));
        assert!(!at("2024-01-01T12:00:00.000000001Z"));
        assert!(!filter.is_empty());
    }
}
