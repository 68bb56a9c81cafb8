//! Where hours, days and weeks begin.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use super::{Duration, Period};
use crate::format::Time;

/// Whose clock decides which day a snapshot belongs to.
///
/// restic takes the UTC offset that each snapshot was written with ([`Calendar::Written`]). On one machine that is the same
/// as the machine's time zone; where snapshots come from several zones, or are judged elsewhere than they were taken, only
/// a stated zone makes "one a day" mean the days of the person who wrote the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calendar {
    /// One time zone for all, daylight saving included.
    Zone(TimeZone),
    /// The UTC offset that each snapshot was written with.
    Written,
}

/// A span of time that has a name in a calendar, such as the 14th hour of a day; equal for the snapshots within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    year: i16,
    /// Month, week or zero.
    part: i8,
    day: i8,
    hour: i8,
    /// Tells snapshots apart where each is a bucket of its own.
    number: usize,
}

impl Calendar {
    fn local(&self, time: Time) -> Zoned {
        let zone = match self {
            Self::Zone(zone) => zone.clone(),
            Self::Written => time.offset().to_time_zone(),
        };
        time.instant().to_zoned(zone)
    }

    /// The bucket of the `number`th snapshot. An hour that daylight saving repeats is one hour.
    pub(super) fn bucket(&self, period: Period, time: Time, number: usize) -> Bucket {
        let local = self.local(time);
        let date = local.date();
        let mut bucket = Bucket {
            year: date.year(),
            part: date.month(),
            day: date.day(),
            hour: local.hour(),
            number: 0,
        };
        match period {
            Period::Last => bucket.number = number,
            Period::Hour => return bucket,
            Period::Day => {}
            Period::Week => {
                let week = date.iso_week_date();
                (bucket.year, bucket.part, bucket.day) = (week.year(), week.week(), 0);
            }
            Period::Month => bucket.day = 0,
            Period::Year => (bucket.part, bucket.day) = (0, 0),
        }
        bucket.hour = 0;
        bucket
    }

    /// The instant that lies a duration before a time; the beginning of all time where there is none.
    ///
    /// Years and months go first; a day that the month does not have runs over into the next one (a month before 31 March
    /// is 3 March, or 2 March in a leap year); then days, then hours of sixty minutes.
    pub fn before(&self, time: Time, duration: Duration) -> Timestamp {
        self.try_before(time, duration).unwrap_or(Timestamp::MIN)
    }

    fn try_before(&self, time: Time, duration: Duration) -> Option<Timestamp> {
        let local = self.local(time);
        let date = local.date();
        let month = i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
        let month = month - i64::from(duration.years) * 12 - i64::from(duration.months);
        let year = i16::try_from(month.div_euclid(12)).ok()?;
        let first = Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?;
        let days = i64::from(date.day()) - 1 - i64::from(duration.days);
        let date = first.checked_add(Span::new().try_days(days).ok()?).ok()?;
        let moved = date
            .to_datetime(local.time())
            .to_zoned(local.time_zone().clone())
            .ok()?;
        let hours = Span::new().try_hours(duration.hours).ok()?;
        moved.timestamp().checked_sub(hours).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Calendar, Period};
    use crate::format::Time;

    fn amsterdam() -> Calendar {
        Calendar::Zone(TimeZone::get("Europe/Amsterdam").unwrap())
    }

    fn at(time: &str) -> Time {
        crate::snapshots::example::snapshot(time, "", &[], &[])
            .snapshot
            .time
    }

    fn same(calendar: &Calendar, period: Period, a: &str, b: &str) -> bool {
        calendar.bucket(period, at(a), 0) == calendar.bucket(period, at(b), 1)
    }

    /// T-14: days counted in UTC where the person lives elsewhere keep the wrong snapshot of every night.
    #[test]
    fn t14_days_are_those_of_the_stated_zone() {
        let (late, early) = ("2024-06-01T21:30:00Z", "2024-06-01T22:30:00Z");
        assert!(!same(&amsterdam(), Period::Day, late, early));
        assert!(same(&Calendar::Written, Period::Day, late, early));
        assert!(!same(
            &Calendar::Written,
            Period::Day,
            "2024-06-01T23:30:00+02:00",
            "2024-06-02T00:30:00+02:00"
        ));
        // The night of the change to summer time has no hour from two to three, the night back has it twice.
        assert!(!same(
            &amsterdam(),
            Period::Hour,
            "2024-03-31T00:59:59Z",
            "2024-03-31T01:00:00Z"
        ));
        assert!(same(
            &amsterdam(),
            Period::Hour,
            "2024-10-27T00:10:00Z",
            "2024-10-27T01:10:00Z"
        ));
        assert!(same(
            &amsterdam(),
            Period::Day,
            "2024-03-30T23:00:00Z",
            "2024-03-31T21:59:59Z"
        ));
        assert!(!same(
            &amsterdam(),
            Period::Day,
            "2024-03-31T21:59:59Z",
            "2024-03-31T22:00:00Z"
        ));
    }

    #[test]
    fn t14_weeks_are_those_of_iso_8601() {
        assert!(same(
            &amsterdam(),
            Period::Week,
            "2024-12-30T12:00:00Z",
            "2025-01-05T12:00:00Z"
        ));
        assert!(!same(
            &amsterdam(),
            Period::Week,
            "2025-01-05T12:00:00Z",
            "2025-01-06T12:00:00Z"
        ));
        assert!(!same(
            &amsterdam(),
            Period::Year,
            "2024-12-30T12:00:00Z",
            "2025-01-05T12:00:00Z"
        ));
        assert!(!same(
            &amsterdam(),
            Period::Month,
            "2023-01-05T12:00:00Z",
            "2024-01-05T12:00:00Z"
        ));
        assert!(!same(
            &amsterdam(),
            Period::Last,
            "2024-01-05T12:00:00Z",
            "2024-01-05T12:00:00Z"
        ));
    }

    #[test]
    fn durations_reach_back_as_in_restic() {
        for (time, duration, expected) in [
            (
                "2024-03-31T12:00:00+02:00",
                "1m",
                "2024-03-02T12:00:00+01:00",
            ),
            (
                "2023-03-31T12:00:00+02:00",
                "1m",
                "2023-03-03T12:00:00+01:00",
            ),
            (
                "2024-02-29T12:00:00+01:00",
                "1y",
                "2023-03-01T12:00:00+01:00",
            ),
            (
                "2024-04-01T12:00:00+02:00",
                "1d",
                "2024-03-31T12:00:00+02:00",
            ),
            (
                "2024-04-01T12:00:00+02:00",
                "2d",
                "2024-03-30T12:00:00+01:00",
            ),
            (
                "2024-03-31T12:00:00+02:00",
                "24h",
                "2024-03-30T11:00:00+01:00",
            ),
            (
                "2024-01-15T12:00:00+01:00",
                "14m1d",
                "2022-11-14T12:00:00+01:00",
            ),
        ] {
            let found = amsterdam().before(at(time), duration.parse().unwrap());
            assert_eq!(found, at(expected).instant(), "{duration} before {time}");
        }
        let ages = amsterdam().before(at("2024-01-15T12:00:00Z"), "999999y".parse().unwrap());
        assert_eq!(ages, jiff::Timestamp::MIN);
    }
}
