//! Sizes, durations, shares and times as people read them.

use jiff::tz::TimeZone;
use strongroom_repository::format::Time;

/// Bytes in IEC units with three decimals: `6 B`, `1.652 KiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.3} {unit}")
}

/// Seconds as `m:ss` or `h:mm:ss`.
pub fn seconds(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A share of a whole in percent; all of nothing is 100 %.
pub fn percent(part: u64, whole: u64) -> String {
    let ratio = match whole {
        0 => 1.0,
        _ => part as f64 / whole as f64,
    };
    format!("{:.2}%", 100.0 * ratio)
}

/// A share of a whole between 0 and 1; all of nothing is 1.
pub fn fraction(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 1.0,
        _ => (part as f64 / whole as f64).min(1.0),
    }
}

/// A time in the user's zone, to the second: `2026-11-20 12:00:00`.
pub fn time(time: Time, zone: &TimeZone) -> String {
    let local = time.instant().to_zoned(zone.clone());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A number with its noun: `1 snapshot`, `2 snapshots`.
pub fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The same with its verb: `1 file is`, `2 files are`.
pub fn count_is(number: u64, noun: &str) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", count(number, noun))
}

#[cfg(test)]
mod tests {
    use super::{count, percent, seconds, size};

    #[test]
    fn figures_read_as_in_restic() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1692), "1.652 KiB");
        assert_eq!(size(1024 * 1024), "1.000 MiB");
        assert_eq!(size(u64::MAX), "16.000 EiB");
        assert_eq!(seconds(59), "0:59");
        assert_eq!(seconds(3661), "1:01:01");
        assert_eq!(percent(1, 3), "33.33%");
        assert_eq!(percent(0, 0), "100.00%");
        assert_eq!(percent(3, 1), "300.00%");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
    }
}
