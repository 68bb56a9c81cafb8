//! The rules of a policy, and the reasons they give.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::Duration;
use crate::snapshots::TagList;
use crate::{Error, ErrorKind};

/// How many snapshots a rule keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// At most so many; zero is no rule.
    AtMost(u32),
    /// `unlimited`
    Unlimited,
}

impl Default for Count {
    fn default() -> Self {
        Self::AtMost(0)
    }
}

impl Count {
    /// Whether the rule keeps anything (more).
    pub(super) fn is_left(self) -> bool {
        self != Self::AtMost(0)
    }

    pub(super) fn use_one(&mut self) {
        if let Self::AtMost(left) = self {
            *left = left.saturating_sub(1);
        }
    }
}

impl FromStr for Count {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse() {
            Ok(number) => Ok(Self::AtMost(number)),
            Err(_) if text == "unlimited" => Ok(Self::Unlimited),
            Err(_) => {
                let message = format!("{text:?} is neither a number from 0 on nor \"unlimited\"");
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    }
}

/// Of what a rule keeps the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Period {
    /// Every snapshot by itself.
    Last,
    Hour,
    Day,
    /// From Monday, as ISO 8601 counts weeks and their years.
    Week,
    Month,
    Year,
}

impl Period {
    fn word(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }
}

/// What is kept. The default has no rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The newest snapshots.
    pub last: Count,
    /// The newest of an hour, for so many hours that have one.
    pub hourly: Count,
    /// The newest of a day.
    pub daily: Count,
    /// The newest of a week.
    pub weekly: Count,
    /// The newest of a month.
    pub monthly: Count,
    /// The newest of a year.
    pub yearly: Count,
    /// All that are younger than this, measured from the group's newest snapshot that is not in the future.
    pub within: Duration,
    /// The newest of each hour within the duration.
    pub within_hourly: Duration,
    /// The newest of each day within the duration.
    pub within_daily: Duration,
    /// The newest of each week within the duration.
    pub within_weekly: Duration,
    /// The newest of each month within the duration.
    pub within_monthly: Duration,
    /// The newest of each year within the duration.
    pub within_yearly: Duration,
    /// All that have all tags of one of these lists.
    pub tags: Vec<TagList>,
}

impl Policy {
    /// Whether there is no rule, so that nothing would be kept.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn counts(&self) -> [(Period, Count); 6] {
        [
            (Period::Last, self.last),
            (Period::Hour, self.hourly),
            (Period::Day, self.daily),
            (Period::Week, self.weekly),
            (Period::Month, self.monthly),
            (Period::Year, self.yearly),
        ]
    }

    pub(super) fn durations(&self) -> [(Period, Duration); 5] {
        [
            (Period::Hour, self.within_hourly),
            (Period::Day, self.within_daily),
            (Period::Week, self.within_weekly),
            (Period::Month, self.within_monthly),
            (Period::Year, self.within_yearly),
        ]
    }
}

/// Why a snapshot is kept. Displayed in restic's words, where restic has the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It has all tags of this list.
    HasTags(TagList),
    /// It is pinned, until a date or for good.
    Pinned(Option<Timestamp>),
    /// It is younger than this.
    Within(Duration),
    /// It is the newest of its period.
    Newest(Period),
    /// It is the oldest snapshot and the rule has not kept as many as it may.
    Oldest(Period),
    /// It is the newest of its period within the duration.
    NewestWithin(Period, Duration),
    /// It is the oldest snapshot and lies within the duration.
    OldestWithin(Period, Duration),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HasTags(tags) => write!(f, "has tags {tags}"),
            Self::Pinned(None) => f.write_str("pinned"),
            Self::Pinned(Some(until)) => write!(f, "pinned until {until}"),
            Self::Within(duration) => write!(f, "within {duration}"),
            Self::Newest(period) => write!(f, "{} snapshot", period.word()),
            Self::Oldest(period) => write!(f, "oldest {} snapshot", period.word()),
            Self::NewestWithin(period, within) => write!(f, "{} within {within}", period.word()),
            Self::OldestWithin(period, within) => {
                write!(f, "oldest {} within {within}", period.word())
            }
        }
    }
}

impl fmt::Display for Policy {
    /// A sentence: `keep 3 latest, all daily snapshots and all snapshots with tags [a]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |period| match period {
            Period::Last => "latest",
            other => other.word(),
        };
        let count = |(period, count): (Period, Count)| match count {
            Count::AtMost(0) => None,
            Count::AtMost(number) => Some(format!("{number} {}", word(period))),
            Count::Unlimited => Some(format!("all {}", word(period))),
        };
        let within = |(period, within): (Period, Duration)| {
            (!within.is_zero()).then(|| format!("{} snapshots within {within}", word(period)))
        };
        let counts: Vec<_> = self.counts().into_iter().filter_map(count).collect();
        let counted = (!counts.is_empty()).then(|| format!("{} snapshots", counts.join(", ")));
        let rules: Vec<_> = counted
            .into_iter()
            .chain(self.durations().into_iter().filter_map(within))
            .collect();
        let mut sentence: Vec<String> = Vec::new();
        if !rules.is_empty() {
            sentence.push(rules.join(", "));
        }
        if !self.tags.is_empty() {
            let lists: Vec<_> = self.tags.iter().map(ToString::to_string).collect();
            sentence.push(format!("all snapshots with tags {}", lists.join(" or ")));
        }
        if !self.within.is_zero() {
            sentence.push(format!(
                "all snapshots within {} of the newest",
                self.within
            ));
        }
        match sentence.is_empty() {
            true => f.write_str("keep nothing"),
            false => write!(f, "keep {}", sentence.join(" and ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Policy};
    use crate::snapshots::TagList;

    #[test]
    fn counts_are_numbers_or_unlimited() {
        assert_eq!("3".parse::<Count>().unwrap(), Count::AtMost(3));
        assert_eq!("unlimited".parse::<Count>().unwrap(), Count::Unlimited);
        for bad in ["-1", "", "many", "4294967296", "3 "] {
            assert!(bad.parse::<Count>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_policy_says_what_it_keeps() {
        let policy = Policy {
            last: Count::AtMost(3),
            daily: Count::Unlimited,
            within_weekly: "1y".parse().unwrap(),
            within: "2d".parse().unwrap(),
            tags: vec![TagList::parse("a,b")],
            ..Policy::default()
        };
        let said = "keep 3 latest, all daily snapshots, weekly snapshots within 1y \
                    and all snapshots with tags [a, b] and all snapshots within 2d of the newest";
        assert_eq!(policy.to_string(), said);
        assert_eq!(Policy::default().to_string(), "keep nothing");
    }
}
