//! What a repository has missed of a history that others have, where one backup goes into several.

use super::similar::Known;
use crate::format::{Id, Snapshot, Time};
use crate::repository::SnapshotFile;

/// Snapshots that belong together: those of one host and one set of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    hostname: String,
    /// Sorted.
    paths: Vec<String>,
}

impl History {
    /// The history that a snapshot is a part of.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            hostname: snapshot.hostname.clone(),
            paths: sorted(&snapshot.paths),
        }
    }

    fn has(&self, snapshot: &Snapshot) -> bool {
        self.hostname == snapshot.hostname && self.paths == sorted(&snapshot.paths)
    }

    /// The snapshots of this history in `source` that `destination` has missed, oldest first: those newer than its newest
    /// one that it has no copy of; all, where it has none.
    ///
    /// Older ones that it lacks are not among them: it had its chance, and a policy may have removed them there. `made` is the
    /// snapshot of this very run, wherever it lies: it is always wanted, and says nothing of what was there before.
    pub fn missed(
        &self,
        source: &[SnapshotFile],
        destination: &[SnapshotFile],
        made: Option<Id>,
    ) -> Vec<SnapshotFile> {
        let known = Known::new(destination);
        let before = destination
            .iter()
            .filter(|file| Some(file.id) != made && self.has(&file.snapshot));
        let newest: Option<Time> = before.map(|file| file.snapshot.time).max();
        let is_missed = |file: &&SnapshotFile| {
            let is_made = Some(file.id) == made;
            let is_newer = newest.is_none_or(|newest| file.snapshot.time > newest);
            self.has(&file.snapshot) && (is_made || is_newer) && known.copy_of(file).is_none()
        };
        let mut missed: Vec<SnapshotFile> = source.iter().filter(is_missed).cloned().collect();
        missed.sort_by_key(|file| (file.snapshot.time, file.id));
        missed
    }
}

fn sorted(paths: &[String]) -> Vec<String> {
    let mut paths = paths.to_vec();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(second: i64, host: &str) -> SnapshotFile {
        let snapshot = Snapshot {
            time: Time::utc(jiff::Timestamp::from_second(second).unwrap()),
            parent: None,
            tree: Id::of(&second.to_le_bytes()),
            paths: vec!["/b".to_owned(), "/a".to_owned()],
            hostname: host.to_owned(),
            username: String::new(),
            uid: 0,
            gid: 0,
            excludes: Vec::new(),
            tags: Vec::new(),
            original: None,
            program_version: String::new(),
            summary: None,
        };
        let id = Id::of(format!("{second} {host}").as_bytes());
        SnapshotFile { id, snapshot }
    }

    fn copy(of: &SnapshotFile) -> SnapshotFile {
        let mut snapshot = of.snapshot.clone();
        snapshot.original = Some(of.id);
        snapshot.paths.reverse();
        let id = Id::of(of.id.to_hex().as_bytes());
        SnapshotFile { id, snapshot }
    }

    fn seconds(files: &[SnapshotFile]) -> Vec<i64> {
        let second = |file: &SnapshotFile| file.snapshot.time.instant().as_second();
        files.iter().map(second).collect()
    }

    /// What a destination was away for is lost there if it is not brought; what its policy has removed must not come back.
    #[test]
    fn what_came_since_the_newest_one_was_missed_and_nothing_older() {
        let all = [5, 1, 2, 3, 4].map(|second| snapshot(second, "host"));
        let [five, one, _, three, _] = &all;
        let history = History::of(&one.snapshot);
        assert_eq!(seconds(&history.missed(&all, &[], None)), [1, 2, 3, 4, 5]);
        let there = [copy(one), copy(three)];
        assert_eq!(seconds(&history.missed(&all, &there, None)), [4, 5]);
        let there = [copy(five)];
        assert_eq!(seconds(&history.missed(&all, &there, None)), [0_i64; 0]);
        // Another host's snapshots are no part of it, on either side.
        let others = [snapshot(9, "other")];
        assert_eq!(seconds(&history.missed(&others, &[], None)), [0_i64; 0]);
        assert_eq!(history.missed(&all, &others, None).len(), 5);
    }

    /// The first destination was away once; today's snapshot, which is in it, does not hide what it missed. And a snapshot with
    /// an old time goes everywhere.
    #[test]
    fn the_snapshot_of_this_run_is_wanted_and_hides_nothing() {
        let [one, two, three] = [1, 2, 3].map(|second| snapshot(second, "host"));
        let history = History::of(&one.snapshot);
        let first = [copy(&one), three.clone()];
        let other = [one.clone(), two.clone()];
        assert_eq!(
            seconds(&history.missed(&other, &first, Some(three.id))),
            [2]
        );
        let there = [copy(&three)];
        let missed = history.missed(&[one.clone(), two, three], &there, Some(one.id));
        assert_eq!(seconds(&missed), [1]);
    }
}
