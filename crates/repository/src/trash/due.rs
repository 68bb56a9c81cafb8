//! When the time of a snapshot in the trash has come.
//!
//! No clock is believed alone: the one that prunes may run a year ahead, and so may one that wrote a snapshot. Time is
//! counted by what others wrote down — the times of snapshots, and when snapshots were forgotten — and the clock of
//! the prune can only say no:
//! - What was written in the clock's future does not count. Behind the clock of the prune nothing is due.
//! - From one witness to the next at most a quarter of the whole time counts. A clock that jumps ahead, and a snapshot that
//!   was taken while it did, therefore cost at most a quarter, however far it jumped.
//! - What comes after the last witness does not count. A prune whose clock is wrong removes nothing by that alone.
//!
//! In a repository that gets four snapshots or more in that time, evenly, a record is due with the first snapshot after
//! its date. In one that gets fewer it is due later; in one that gets none, never: it can be emptied by hand.

use jiff::Timestamp;

use super::TrashEntry;
use crate::format::TrashRecord;
use crate::repository::SnapshotFile;

/// Parts of the whole time of which at most one counts between two witnesses.
const PARTS: i32 = 4;

/// The times that a repository knows of, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Witnesses(Vec<Timestamp>);

impl Witnesses {
    pub fn new(snapshots: &[SnapshotFile], trash: &[TrashEntry]) -> Self {
        let live = snapshots.iter().map(|file| file.snapshot.time.instant());
        let thrown = trash.iter().flat_map(|entry| {
            let taken = entry.snapshot.time.instant();
            [taken, entry.record.forgotten_at.instant()]
        });
        let mut times: Vec<Timestamp> = live.chain(thrown).collect();
        times.sort_unstable();
        Self(times)
    }

    /// The last one.
    pub fn newest(&self) -> Option<Timestamp> {
        self.0.last().copied()
    }
}

/// Whether the record may be removed.
pub(crate) fn is_due(record: &TrashRecord, witnesses: &Witnesses, now: Timestamp) -> bool {
    let (from, until) = (record.counted_from.instant(), record.kept_until.instant());
    if now < until {
        return false;
    }
    let whole = until.as_nanosecond().saturating_sub(from.as_nanosecond());
    // Rounded up, so that the parts make a whole.
    let step = whole / i128::from(PARTS) + 1;
    let mut counted = 0_i128;
    let mut last = from;
    for time in &witnesses.0 {
        if *time > last && *time <= now {
            let gap = time.as_nanosecond().saturating_sub(last.as_nanosecond());
            counted = counted.saturating_add(gap.min(step));
            last = *time;
        }
    }
    counted >= whole
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Witnesses, is_due};
    use crate::format::{Id, Time, TrashRecord};

    const YEAR: i64 = 365;

    fn day(number: i64) -> Timestamp {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(24 * number)
    }

    /// Kept for fourteen days from day 0 on.
    fn record() -> TrashRecord {
        TrashRecord {
            snapshot: Id::of(b""),
            stored: Vec::new(),
            forgotten_at: Time::utc(day(0)),
            counted_from: Time::utc(day(0)),
            kept_until: Time::utc(day(14)),
        }
    }

    fn due(witnesses: impl IntoIterator<Item = i64>, now: i64) -> bool {
        let mut times: Vec<Timestamp> = witnesses.into_iter().map(day).collect();
        times.sort();
        is_due(&record(), &Witnesses(times), day(now))
    }

    #[test]
    fn it_is_due_with_the_first_snapshot_after_its_date() {
        assert!(!due(-3..=13, 13));
        assert!(!due(-3..=13, 14));
        assert!(due(-3..=14, 14));
        assert!(due([3, 6, 9, 12, 15], 15));
        // Few snapshots: later, but not never.
        assert!(!due([10, 20], 20));
        assert!(due([10, 20, 30, 40], 40));
        // Nobody says that time has passed.
        assert!(!due([], 10 * YEAR));
        assert!(!due([-1, 0], 10 * YEAR));
    }

    /// T-04, without the rest of a repository.
    #[test]
    fn t04_no_clock_that_jumps_by_a_year_brings_it_forward() {
        // The clock of the prune.
        assert!(!due(-3..=5, YEAR));
        assert!(!due(-3..=13, YEAR));
        assert!(!due(-3..=14, -YEAR));
        // A clock that writes snapshots.
        assert!(!due((-3..=5).chain([YEAR]), 5));
        assert!(!due((-3..=5).chain([-YEAR]), 5));
        // Both, for days: a quarter is lost at most.
        assert!(!due((-3..=5).chain(YEAR..YEAR + 3), YEAR + 3));
        assert!(!due((-3..=5).chain([YEAR, 2 * YEAR]), 2 * YEAR));
        // And back again: what was written ahead does not count before its time.
        assert!(!due((-3..=9).chain(YEAR..YEAR + 3), 9));
        assert!(!due((-3..=5).chain(YEAR..YEAR + 30), 14));
    }

    #[test]
    fn what_is_kept_for_no_time_is_due_at_once() {
        let mut record = record();
        record.kept_until = record.counted_from;
        assert!(is_due(&record, &Witnesses::default(), day(0)));
        assert!(!is_due(&record, &Witnesses::default(), day(-1)));
    }
}
