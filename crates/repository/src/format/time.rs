//! Points in time as restic writes them: RFC 3339 with up to nine decimals and the writer's UTC offset.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer};

use crate::format::read::Text;

const DAY_S: i64 = 86_400;

/// Where the year 9999 ends, for a clock at whatever offset: 2,932,897 days. A leap second there would begin a year of
/// five digits, which cannot be written.
const LOCAL_END_S: i64 = 2_932_897 * DAY_S;

/// A point in time together with the UTC offset it was written with.
///
/// Two times are equal when they are the same instant. The year lies between 0 and 9999, as in the format;
/// [`Time::from_unix`] moves others to the nearest one.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// Seconds since 1970 in UTC. Not a [`Timestamp`], which ends two days before the year 9999 does.
    seconds: i64,
    /// Below 10^9.
    nanosecond: u32,
    /// A multiple of 60, since the format has no seconds in an offset.
    offset_s: i32,
}

/// A text that is no RFC 3339 date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time as in RFC 3339")]
pub struct InvalidTime;

impl Time {
    /// The instant as seen in a time zone.
    pub fn new(instant: Timestamp, zone: &TimeZone) -> Self {
        let (seconds, nanosecond) = floor(instant.as_second(), instant.subsec_nanosecond());
        Self::from_unix(seconds, nanosecond, zone)
    }

    /// The instant in UTC.
    pub fn utc(instant: Timestamp) -> Self {
        Self::new(instant, &TimeZone::UTC)
    }

    /// A file system's time: seconds since 1970 and nanoseconds after that (more than 10^9 count as 10^9 - 1).
    ///
    /// A year outside 0 to 9999 becomes the nearest of these with month, day and time unchanged, as restic does it.
    pub fn from_unix(seconds: i64, nanosecond: u32, zone: &TimeZone) -> Self {
        let near = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        });
        let offset_s = zone.to_offset(near).seconds() / 60 * 60;
        let local = seconds.saturating_add(i64::from(offset_s));
        let (day, second_of_day) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
        let (year, month, day_of_month) = civil_from_days(day);
        let seconds = if (0..=9999).contains(&year) {
            seconds
        } else {
            let day = days_from_civil(year.clamp(0, 9999), month, day_of_month);
            day * DAY_S + second_of_day - i64::from(offset_s)
        };
        Self {
            seconds,
            nanosecond: nanosecond.min(999_999_999),
            offset_s,
        }
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down.
    pub fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`Time::unix_seconds`], below 10^9.
    pub fn nanosecond(&self) -> u32 {
        self.nanosecond
    }

    /// The instant; the last two days of the year 9999 become the last instant that [`Timestamp`] holds.
    pub fn instant(&self) -> Timestamp {
        Timestamp::from_second(self.seconds)
            .and_then(|whole| {
                whole.checked_add(jiff::SignedDuration::from_nanos(i64::from(self.nanosecond)))
            })
            .unwrap_or(if self.seconds < 0 {
                Timestamp::MIN
            } else {
                Timestamp::MAX
            })
    }

    /// The offset from UTC that it is shown with.
    pub fn offset(&self) -> Offset {
        Offset::from_seconds(self.offset_s).unwrap_or(Offset::UTC)
    }

    /// Appends the time in Go's `RFC3339Nano`: decimals without zeros at their end, `Z` for UTC.
    pub(crate) fn push_rfc3339(&self, out: &mut Vec<u8>) {
        let local = self.seconds.saturating_add(i64::from(self.offset_s));
        let (year, month, day) = civil_from_days(local.div_euclid(DAY_S));
        let second = local.rem_euclid(DAY_S);
        push_digits(out, year, 4);
        for (separator, value) in [
            (b'-', month),
            (b'-', day),
            (b'T', second / 3600),
            (b':', second / 60 % 60),
            (b':', second % 60),
        ] {
            out.push(separator);
            push_digits(out, value, 2);
        }
        if self.nanosecond != 0 {
            out.push(b'.');
            push_digits(out, i64::from(self.nanosecond), 9);
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
        if self.offset_s == 0 {
            out.push(b'Z');
        } else {
            out.push(if self.offset_s < 0 { b'-' } else { b'+' });
            let minutes = i64::from(self.offset_s.unsigned_abs() / 60);
            push_digits(out, minutes / 60, 2);
            out.push(b':');
            push_digits(out, minutes % 60, 2);
        }
    }
}

/// Rounds down to a whole second where the nanoseconds are negative.
fn floor(seconds: i64, nanosecond: i32) -> (i64, u32) {
    if nanosecond < 0 {
        (
            seconds.saturating_sub(1),
            (nanosecond + 1_000_000_000).unsigned_abs(),
        )
    } else {
        (seconds, nanosecond.unsigned_abs())
    }
}

/// Appends the lowest `count` decimal digits.
fn push_digits(out: &mut Vec<u8>, value: i64, count: u32) {
    for place in (0..count).rev() {
        out.push(b'0' + (value / 10_i64.pow(place) % 10) as u8);
    }
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar, extended in both directions.
///
/// Years begin in March here, so that the leap day is the last of its year: 146,097 days are 400 years, and the months
/// from March on have 31 30 31 30 31 days over and over, that is `(153 * m + 2) / 5` days before month `m`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil_from_days`]; a day past the end of its month counts into the next month.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Takes exactly `count` digits from the front.
fn take_digits(text: &mut &[u8], count: usize) -> Option<i64> {
    let (digits, rest) = text.split_at_checked(count)?;
    *text = rest;
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })
}

/// Takes one byte that must be one of `allowed`.
fn take_byte(text: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (first, rest) = text.split_first()?;
    *text = rest;
    allowed.contains(first).then_some(*first)
}

fn parse(mut text: &[u8]) -> Option<Time> {
    let text = &mut text;
    let year = take_digits(text, 4)?;
    take_byte(text, b"-")?;
    let month = take_digits(text, 2)?;
    take_byte(text, b"-")?;
    let day = take_digits(text, 2)?;
    take_byte(text, b"Tt")?;
    let hour = take_digits(text, 2)?;
    take_byte(text, b":")?;
    let minute = take_digits(text, 2)?;
    take_byte(text, b":")?;
    let second = take_digits(text, 2)?;
    // A leap second is the second after it, as everywhere where days have 86,400 seconds.
    let fits = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    let mut nanosecond = 0;
    if text.first() == Some(&b'.') {
        take_byte(text, b".")?;
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = text.split_at_checked(count).filter(|_| count > 0)?;
        *text = rest;
        // More than nine digits are cut off.
        for place in 0..9 {
            nanosecond =
                nanosecond * 10 + digits.get(place).map_or(0, |digit| u32::from(digit - b'0'));
        }
    }
    let offset_s = match take_byte(text, b"Zz+-")? {
        sign @ (b'+' | b'-') => {
            let hours = take_digits(text, 2).filter(|hours| *hours < 24)?;
            take_byte(text, b":")?;
            let minutes = take_digits(text, 2).filter(|minutes| *minutes < 60)?;
            let offset = i32::try_from(hours * 3600 + minutes * 60).ok()?;
            if sign == b'-' { -offset } else { offset }
        }
        _ => 0,
    };
    if !text.is_empty() {
        return None;
    }
    let local = days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    if local >= LOCAL_END_S {
        return None;
    }
    Some(Time {
        seconds: local - i64::from(offset_s),
        nanosecond,
        offset_s,
    })
}

impl FromStr for Time {
    type Err = InvalidTime;

    /// Takes any RFC 3339 date and time.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        parse(text.as_bytes()).ok_or(InvalidTime)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(35);
        self.push_rfc3339(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        text.0.parse().map_err(serde::de::Error::custom)
    }
}

/// Go's zero time, 0001-01-01 UTC: what stands in the format where there is no time.
impl Default for Time {
    fn default() -> Self {
        Self {
            seconds: -62_135_596_800,
            nanosecond: 0,
            offset_s: 0,
        }
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
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
        (self.seconds, self.nanosecond).cmp(&(other.seconds, other.nanosecond))
    }
}

#[cfg(test)]
mod tests;
