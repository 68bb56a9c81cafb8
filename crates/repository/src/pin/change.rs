//! Pinning and unpinning: changes of tags.

use super::{Pin, is_pin_tag};
use crate::repository::SnapshotFile;
use crate::tag::{TagChanged, TagPlan};

/// Says how snapshots are pinned: a pin that they have is replaced.
pub fn plan_pin(snapshots: Vec<SnapshotFile>, pin: &Pin) -> TagPlan {
    change(snapshots, &pin.tags())
}

/// Says how pins are removed.
pub fn plan_unpin(snapshots: Vec<SnapshotFile>) -> TagPlan {
    change(snapshots, &[])
}

/// Snapshots whose pins are these already are not changed.
fn change(snapshots: Vec<SnapshotFile>, pins: &[String]) -> TagPlan {
    let changed = |old: SnapshotFile| {
        let others = old.snapshot.tags.iter().filter(|tag| !is_pin_tag(tag));
        let tags: Vec<String> = others.chain(pins).cloned().collect();
        let is_same = tags.len() == old.snapshot.tags.len()
            && tags.iter().all(|tag| old.snapshot.tags.contains(tag));
        (!is_same).then(|| TagChanged::new(old, tags))
    };
    TagPlan {
        changes: snapshots.into_iter().filter_map(changed).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Pin, plan_pin, plan_unpin};
    use crate::snapshots::example::snapshot;

    #[test]
    fn a_pin_replaces_the_one_before_and_leaves_other_tags() {
        let tags = ["a", "pinned", "pin-note:old", "b"];
        let pinned = snapshot("2024-01-01T00:00:00Z", "ada", &tags, &["/x"]);
        let pin = Pin {
            until: Some("2030-01-01T00:00:00Z".parse().unwrap()),
            ..Pin::default()
        };
        let plan = plan_pin(vec![pinned.clone()], &pin);
        assert_eq!(
            plan.changes[0].new.tags,
            ["a", "b", "pinned", "pinned-until:2030-01-01T00:00:00Z"]
        );
        assert_eq!(plan.changes[0].new.original, Some(pinned.id));
        let plan = plan_unpin(vec![pinned.clone()]);
        assert_eq!(plan.changes[0].new.tags, ["a", "b"]);
        let same = Pin {
            note: "old".into(),
            ..Pin::default()
        };
        assert!(plan_pin(vec![pinned], &same).changes.is_empty());
        let bare = snapshot("2024-01-01T00:00:00Z", "ada", &["a"], &["/x"]);
        assert!(plan_unpin(vec![bare]).changes.is_empty());
    }
}
