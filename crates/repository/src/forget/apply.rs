//! Judging the snapshots of one group.

use jiff::Timestamp;

use super::calendar::Bucket;
use super::{Calendar, Count, Duration, Period, Policy, Reason};
use crate::format::Time;
use crate::snapshots::{SnapshotFile, sort_newest_first};

/// A snapshot that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The snapshot.
    pub stored: SnapshotFile,
    /// Why; at least one reason.
    pub reasons: Vec<Reason>,
}

/// What a policy makes of a group; both lists have the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// What stays.
    pub keep: Vec<Kept>,
    /// What no rule keeps.
    pub remove: Vec<SnapshotFile>,
}

/// Judges the snapshots of one group. `now` tells which of them lie in the future: durations are not measured from those.
pub fn apply_policy(
    mut snapshots: Vec<SnapshotFile>,
    policy: &Policy,
    calendar: &Calendar,
    now: Timestamp,
) -> Retention {
    sort_newest_first(&mut snapshots);
    let newest = snapshots
        .iter()
        .map(|stored| stored.snapshot.time)
        .find(|time| time.instant() < now);
    let mut judge = Judge::new(policy, calendar, newest);
    let mut retention = Retention::default();
    let count = snapshots.len();
    for (number, stored) in snapshots.into_iter().enumerate() {
        let oldest = number + 1 == count;
        let reasons = judge.reasons(&stored, number, oldest);
        if reasons.is_empty() {
            retention.remove.push(stored);
        } else {
            retention.keep.push(Kept { stored, reasons });
        }
    }
    retention
}

struct Judge<'a> {
    policy: &'a Policy,
    calendar: &'a Calendar,
    /// Snapshots after this are within [`Policy::within`].
    within_start: Timestamp,
    counted: Vec<Counted>,
    limited: Vec<Limited>,
}

/// A rule with a number.
struct Counted {
    period: Period,
    left: Count,
    last: Option<Bucket>,
}

/// A rule with a duration.
struct Limited {
    period: Period,
    within: Duration,
    start: Timestamp,
    last: Option<Bucket>,
}

impl<'a> Judge<'a> {
    fn new(policy: &'a Policy, calendar: &'a Calendar, newest: Option<Time>) -> Self {
        // Where every snapshot lies in the future, all of them are within any duration.
        let start = |within: Duration| match newest {
            Some(newest) => calendar.before(newest, within),
            None => Timestamp::MIN,
        };
        let counted = |(period, left)| Counted {
            period,
            left,
            last: None,
        };
        let limited = |(period, within)| Limited {
            period,
            within,
            start: start(within),
            last: None,
        };
        let durations = policy.durations().into_iter();
        Self {
            policy,
            calendar,
            within_start: start(policy.within),
            counted: policy.counts().into_iter().map(counted).collect(),
            limited: durations
                .filter(|(_, within)| !within.is_zero())
                .map(limited)
                .collect(),
        }
    }

    /// Why the next older snapshot is kept.
    fn reasons(&mut self, stored: &SnapshotFile, number: usize, oldest: bool) -> Vec<Reason> {
        let time = stored.snapshot.time;
        let tags = self.policy.tags.iter();
        let tags = tags.filter(|list| list.matches(&stored.snapshot));
        let mut reasons: Vec<_> = tags.cloned().map(Reason::HasTags).collect();
        let within = self.policy.within;
        if !within.is_zero() && time.instant() > self.within_start {
            reasons.push(Reason::Within(within));
        }
        for rule in self.counted.iter_mut().filter(|rule| rule.left.is_left()) {
            let bucket = Some(self.calendar.bucket(rule.period, time, number));
            // The oldest is kept while the count lasts, so that history reaches back as far as it may.
            let reason = match bucket != rule.last {
                true => Reason::Newest(rule.period),
                false if oldest => Reason::Oldest(rule.period),
                false => continue,
            };
            rule.last = bucket;
            rule.left.use_one();
            reasons.push(reason);
        }
        for rule in self
            .limited
            .iter_mut()
            .filter(|rule| time.instant() > rule.start)
        {
            let bucket = Some(self.calendar.bucket(rule.period, time, number));
            let reason = match bucket != rule.last {
                true => Reason::NewestWithin(rule.period, rule.within),
                false if oldest => Reason::OldestWithin(rule.period, rule.within),
                false => continue,
            };
            rule.last = bucket;
            reasons.push(reason);
        }
        reasons
    }
}

#[cfg(test)]
mod tests;
