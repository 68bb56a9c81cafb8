//! Pinned snapshots stay, whatever a policy says.

use jiff::Timestamp;

use super::{Kept, Reason, Retention};
use crate::pin::Pin;
use crate::repository::SnapshotFile;
use crate::{Error, ErrorKind, Result};

/// The pin that holds a snapshot, if one does.
fn holding(stored: &SnapshotFile, now: Timestamp) -> Option<Pin> {
    Pin::of(&stored.snapshot.tags).filter(|pin| pin.holds(now))
}

/// Moves pinned snapshots to those that stay, and gives the reason for those that stay anyway.
pub(super) fn keep_pinned(retention: Retention, now: Timestamp) -> Retention {
    let mut result = Retention::default();
    for mut kept in retention.keep {
        if let Some(pin) = holding(&kept.stored, now) {
            kept.reasons.push(Reason::Pinned(pin.until));
        }
        result.keep.push(kept);
    }
    for stored in retention.remove {
        match holding(&stored, now) {
            None => result.remove.push(stored),
            Some(pin) => result.keep.push(Kept {
                stored,
                reasons: vec![Reason::Pinned(pin.until)],
            }),
        }
    }
    result.keep.sort_by(|a, b| {
        let (a, b) = (&a.stored, &b.stored);
        b.snapshot.time.cmp(&a.snapshot.time).then(a.id.cmp(&b.id))
    });
    result
}

/// Fails if one of the snapshots is pinned.
pub(super) fn refuse_pinned<'a>(
    mut snapshots: impl Iterator<Item = &'a SnapshotFile>,
    now: Timestamp,
) -> Result<()> {
    match snapshots.find_map(|file| Some((file, holding(file, now)?))) {
        None => Ok(()),
        Some((file, pin)) => Err(Error::new(
            ErrorKind::Refused,
            format!("snapshot {} is {pin}; nothing is removed", file.id.short()),
        )),
    }
}
