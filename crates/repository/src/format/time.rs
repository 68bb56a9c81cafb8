//! Points in time as restic writes them: RFC 3339 with up to nine decimals and the writer's UTC offset.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A point in time together with the UTC offset it was written with.
///
/// Two times are equal when they are the same instant. The year lies between 0 and 9999, as in the format;
/// [`Time::from_unix`] moves others to the nearest one.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// The instant.
    pub instant: Timestamp,
    /// The offset from UTC that it is shown with.
    pub offset: Offset,
}

impl Time {
    /// The instant as seen in a time zone.
    pub fn new(instant: Timestamp, zone: &TimeZone) -> Self {
        Self {
            instant,
            offset: zone.to_offset(instant),
        }
    }

    /// The instant in UTC.
    pub fn utc(instant: Timestamp) -> Self {
        Self {
            instant,
            offset: Offset::UTC,
        }
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.instant == other.instant
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.instant.cmp(&other.instant)
    }
}
