//! Changing the tags of snapshots.
//!
//! A snapshot is named by its content, so a changed one is a new file. The new one is stored before the old one is
//! removed: an interruption leaves both, never none. The new one remembers which it was first made from.

use tokio_util::sync::CancellationToken;

use crate::format::{Id, Snapshot};
use crate::lock::Lock;
use crate::pin::is_pin_tag;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::{Error, ErrorKind, Result};

/// What becomes of the tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// These tags and no others; none at all for an empty list.
    /// What pins a snapshot stays: see [`crate::pin`].
    Set(Vec<String>),
    /// Some more, some fewer. What is added and removed is removed.
    Edit {
        /// Tags to add where they are missing.
        add: Vec<String>,
        /// Tags to remove.
        remove: Vec<String>,
    },
}

/// A snapshot whose tags will be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChanged {
    /// The snapshot as it is.
    pub old: SnapshotFile,
    /// The snapshot as it will be.
    pub new: Snapshot,
}

/// The snapshots whose tags will be changed; those that have the right tags already are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagPlan {
    /// In the order in which the snapshots were given.
    pub changes: Vec<TagChanged>,
}

/// An old identifier and the new one.
pub type Renamed = (Id, Id);

/// Says what a change of tags does to snapshots.
///
/// # Errors
/// [`ErrorKind::Invalid`] where nothing is to be done.
pub fn plan_tags(snapshots: Vec<SnapshotFile>, change: &TagChange) -> Result<TagPlan> {
    if matches!(change, TagChange::Edit { add, remove } if add.is_empty() && remove.is_empty()) {
        return Err(Error::new(
            ErrorKind::Invalid,
            "no tags to set, add or remove",
        ));
    }
    let changed = |old: SnapshotFile| {
        let tags = change.apply(&old.snapshot.tags);
        (tags != old.snapshot.tags).then(|| TagChanged::new(old, tags))
    };
    Ok(TagPlan {
        changes: snapshots.into_iter().filter_map(changed).collect(),
    })
}

impl TagChange {
    fn apply(&self, tags: &[String]) -> Vec<String> {
        let mut changed: Vec<String> = Vec::new();
        let mut add = |tag: &String| {
            if !tag.is_empty() && !changed.contains(tag) {
                changed.push(tag.clone());
            }
        };
        match self {
            Self::Set(set) => {
                let pins = tags.iter().filter(|tag| is_pin_tag(tag));
                set.iter().chain(pins).for_each(add);
            }
            Self::Edit { add: added, remove } => {
                let all = tags.iter().chain(added);
                all.filter(|tag| !remove.contains(tag)).for_each(&mut add);
            }
        }
        changed
    }
}

impl TagPlan {
    /// Does what the plan says under an exclusive lock; one snapshot after the other, each safe by itself.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if a snapshot is gone that is to be changed, [`ErrorKind::LockLost`],
    /// [`ErrorKind::Cancelled`], or the storage's. What was done before stays done.
    pub async fn execute(
        &self,
        repository: &Repository,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Vec<Renamed>> {
        progress.begin(Phase::DeleteFiles);
        progress.add_total(Amount {
            items: self.changes.len() as u64,
            ..Amount::default()
        });
        progress.total_known();
        let mut renamed = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            renamed.push(change.execute(repository, lock).await?);
            progress.advance(Amount {
                items: 1,
                ..Amount::default()
            });
        }
        Ok(renamed)
    }
}

impl TagChanged {
    /// A snapshot under other tags, which remembers the first name that it had.
    pub(crate) fn new(old: SnapshotFile, tags: Vec<String>) -> Self {
        let new = Snapshot {
            original: old.snapshot.original.or(Some(old.id)),
            tags,
            ..old.snapshot.clone()
        };
        Self { old, new }
    }

    async fn execute(&self, repository: &Repository, lock: &Lock) -> Result<Renamed> {
        let old = self.old.id;
        match repository.load_snapshot(&old).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let message = format!(
                    "snapshot {} has been removed since the plan was made",
                    old.short()
                );
                return Err(Error::new(ErrorKind::Refused, message));
            }
            Err(error) => return Err(error),
        }
        let new = repository.replace_snapshot(&old, &self.new, lock).await?;
        Ok((old, new))
    }
}

#[cfg(test)]
mod tests {
    use super::{TagChange, plan_tags};
    use crate::snapshots::example::snapshot;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn tags_are_set_added_and_removed() {
        let tagged = snapshot("2024-01-01T00:00:00Z", "ada", &["a", "b"], &["/x"]);
        let set = |tags| TagChange::Set(list(tags));
        let edit = |add, remove| TagChange::Edit {
            add: list(add),
            remove: list(remove),
        };
        for (change, expected) in [
            (set("c d c"), Some("c d")),
            (set(""), Some("")),
            (set("a b"), None),
            (edit("c", "a"), Some("b c")),
            (edit("a", ""), None),
            (edit("", "x"), None),
            (edit("c", "c"), None),
        ] {
            let plan = plan_tags(vec![tagged.clone()], &change).unwrap();
            let tags = plan.changes.first().map(|changed| changed.new.tags.clone());
            assert_eq!(tags, expected.map(list), "{change:?}");
        }
        assert!(plan_tags(vec![tagged], &edit("", "")).is_err());
    }

    /// Who sets tags means tags, and not that a snapshot may be forgotten.
    #[test]
    fn tags_that_are_set_leave_a_pin() {
        let tags = ["a", "pinned", "pin-note:x"];
        let pinned = snapshot("2024-01-01T00:00:00Z", "ada", &tags, &["/x"]);
        let plan = plan_tags(vec![pinned.clone()], &TagChange::Set(list("b"))).unwrap();
        assert_eq!(plan.changes[0].new.tags, ["b", "pinned", "pin-note:x"]);
        let plan = plan_tags(vec![pinned], &TagChange::Set(Vec::new())).unwrap();
        assert_eq!(plan.changes[0].new.tags, ["pinned", "pin-note:x"]);
    }

    /// Without it nobody can tell which backups are the same one under new tags.
    #[test]
    fn the_first_identifier_is_remembered() {
        let first = snapshot("2024-01-01T00:00:00Z", "ada", &[], &["/x"]);
        let mut plan = plan_tags(vec![first.clone()], &TagChange::Set(list("a"))).unwrap();
        let changed = plan.changes.remove(0);
        assert_eq!(changed.new.original, Some(first.id));
        let again = crate::repository::SnapshotFile {
            id: crate::format::Id::of(b"second"),
            snapshot: changed.new,
        };
        let plan = plan_tags(vec![again], &TagChange::Set(list("b"))).unwrap();
        assert_eq!(plan.changes[0].new.original, Some(first.id));
    }
}
