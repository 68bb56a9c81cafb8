//! Pins: snapshots that are not forgotten, until a date or for good.
//!
//! A pin is a set of tags, so that restic sees it (`forget --keep-tag pinned`) and copies keep it: `pinned`,
//! `pinned-until:2027-01-01T00:00:00Z` where it ends, `pin-note:…` where it has a note. To take a snapshot for pinned when
//! it is not does no harm, so whatever cannot be understood pins, and for good.

mod change;
mod tags;

pub use change::{plan_pin, plan_unpin};
pub use tags::{Pin, is_pin_tag};

use jiff::Timestamp;

use crate::repository::SnapshotFile;

/// The time up to which pins are believed to have ended: that of the newest snapshot not after `now`.
///
/// A clock that runs ahead ends no pin: a snapshot that was taken since has to say so too.
pub fn believed_now(snapshots: &[SnapshotFile], now: Timestamp) -> Timestamp {
    let times = snapshots.iter().map(|file| file.snapshot.time.instant());
    times
        .filter(|time| *time <= now)
        .max()
        .unwrap_or(Timestamp::MIN)
}
