//! Values on the command line: sizes, times. Durations are those of the storages' options.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub use strongroom_storage::parse_duration as duration;

/// Bytes with a suffix as restic takes them: `300`, `10k`, `1.5G`; k, M, G, T are powers of 1024, `B` and `iB` may follow.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size; write it as 500, 100K, 20M, 1.5G or 2T");
    let lower = text.trim().to_ascii_lowercase();
    let end = lower
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(1 << shift).ok_or_else(wrong);
    }
    let value: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = value * (1u64 << shift) as f64;
    match bytes < u64::MAX as f64 {
        true => Ok(bytes as u64),
        false => Err(wrong()),
    }
}

/// A point in time: `2026-11-20`, `2026-11-20 12:00[:00]` in the given zone, or RFC 3339 with its own offset.
pub fn time(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local = text
        .parse::<DateTime>()
        .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text));
    local
        .and_then(|local| local.to_zoned(zone.clone()))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| {
            format!("{text:?} is no time; write it as 2026-11-20, \"2026-11-20 12:00:00\" or 2026-11-20T12:00:00+01:00")
        })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{size, time};

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("300"), Ok(300));
        assert_eq!(size("10k"), Ok(10 << 10));
        assert_eq!(size("2MiB"), Ok(2 << 20));
        assert_eq!(size("1.5G"), Ok(3 << 29));
        assert_eq!(size("2T"), Ok(2 << 40));
        for wrong in ["", "k", "-1", "1x", "1.2.3", "99999999999T", "1e9", "inf"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_without_an_offset_are_in_the_zone_given() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let utc = |text: &str| time(text, &zone).unwrap().to_string();
        assert_eq!(utc("2026-11-20"), "2026-11-19T22:00:00Z");
        assert_eq!(utc("2026-11-20 12:30"), "2026-11-20T10:30:00Z");
        assert_eq!(utc("2026-11-20 12:30:05"), "2026-11-20T10:30:05Z");
        assert_eq!(utc("2026-11-20T12:00:00Z"), "2026-11-20T12:00:00Z");
        assert_eq!(utc("2026-11-20T12:00:00+01:00"), "2026-11-20T11:00:00Z");
        assert!(time("yesterday", &zone).is_err());
    }
}
