//! Durations of calendar units: `2y5m7d3h`.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::{Error, ErrorKind};

/// Years, months, days and hours, each 0 to 999 999. The units have no fixed length: see [`super::Calendar::before`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Duration {
    pub years: u32,
    pub months: u32,
    pub days: u32,
    pub hours: u32,
}

const MAX: u32 = 999_999;

impl Duration {
    /// Whether all units are zero, which is no rule.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// So much later by the calendar of UTC; `None` past the year 9999.
    pub fn after(self, from: Timestamp) -> Option<Timestamp> {
        let span = Span::new()
            .try_years(self.years)
            .and_then(|span| span.try_months(self.months))
            .and_then(|span| span.try_days(self.days))
            .and_then(|span| span.try_hours(self.hours))
            .ok()?;
        let later = from.to_zoned(TimeZone::UTC).checked_add(span).ok()?;
        Some(later.timestamp())
    }
}

impl FromStr for Duration {
    type Err = Error;

    /// Numbers, each with a unit of `y`, `m`, `d` or `h`, each unit once at most.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            let message = format!("{text:?} is no duration such as 2y5m7d3h: {why}");
            Error::new(ErrorKind::Invalid, message)
        };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(invalid("it is empty"));
        }
        let mut units: [Option<u32>; 4] = [None; 4];
        while !rest.is_empty() {
            let end = rest
                .find(|character: char| !character.is_ascii_digit())
                .ok_or_else(|| invalid("a number has no unit"))?;
            let (number, behind) = rest.split_at(end);
            let number = number.parse().ok().filter(|&number| number <= MAX);
            let number = number
                .ok_or_else(|| invalid("a unit needs a number of up to six digits before it"))?;
            let mut characters = behind.chars();
            let [years, months, days, hours] = &mut units;
            let unit = match characters.next() {
                Some('y') => years,
                Some('m') => months,
                Some('d') => days,
                Some('h') => hours,
                _ => return Err(invalid("the units are y, m, d and h")),
            };
            if unit.replace(number).is_some() {
                return Err(invalid("a unit comes twice"));
            }
            rest = characters.as_str();
        }
        let [years, months, days, hours] = units.map(Option::unwrap_or_default);
        Ok(Self {
            years,
            months,
            days,
            hours,
        })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (self.years, 'y'),
            (self.months, 'm'),
            (self.days, 'd'),
            (self.hours, 'h'),
        ];
        for (number, unit) in units.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{number}{unit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Duration;

    #[test]
    fn durations_are_read_and_written() {
        for (text, expected) in [
            ("2y5m7d3h", "2y5m7d3h"),
            (" 3h7d ", "7d3h"),
            ("0d", ""),
            ("36h", "36h"),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_later_is_counted_by_the_calendar() {
        let after = |text: &str| {
            let from = "2026-01-31T12:00:00Z".parse().unwrap();
            let later = text.parse::<Duration>().unwrap().after(from);
            later.map(|later| later.to_string())
        };
        assert_eq!(after("14d").unwrap(), "2026-02-14T12:00:00Z");
        assert_eq!(after("1y1m1d1h").unwrap(), "2027-03-01T13:00:00Z");
        assert_eq!(after("9000y"), None);
        assert_eq!(after("999999y999999m999999d999999h"), None);
    }

    /// A slip that shortens a duration removes snapshots that were to be kept.
    #[test]
    fn slips_are_refused() {
        for bad in [
            "",
            "7",
            "d",
            "7w",
            "1y2y",
            "-1d",
            "1d 2h",
            "1000000d",
            "99999999999999999999d",
            "1.5d",
            "٣d",
        ] {
            assert!(bad.parse::<Duration>().is_err(), "{bad:?}");
        }
    }
}
