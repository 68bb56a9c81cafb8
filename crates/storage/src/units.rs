//! Durations and rates as people write them.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// `90` (seconds), `250ms`, `30s`, `10m`, `2h`, `1d`, and sums of them such as `1h30m`.
///
/// # Errors
/// A sentence that shows what a right one looks like.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 30s, 10m, 2h or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let (unit_s, length) = match tail {
            _ if tail.starts_with("ms") => (0.001, 2),
            _ if tail.starts_with('s') => (1.0, 1),
            _ if tail.starts_with('m') => (60.0, 1),
            _ if tail.starts_with('h') => (3600.0, 1),
            _ if tail.starts_with('d') => (86400.0, 1),
            _ => return Err(wrong()),
        };
        let part = Duration::try_from_secs_f64(number * unit_s).map_err(|_| wrong())?;
        sum = sum.checked_add(part).ok_or_else(wrong)?;
        rest = tail.get(length..).unwrap_or_default();
    }
    match text.is_empty() {
        true => Err(wrong()),
        false => Ok(sum),
    }
}

/// Bytes a second: `10MiB/s`, `500KB/s`, `80Mbit/s`; `/s` may be left out, and a letter alone (`10M`) counts in powers of
/// 1024. Without a unit they are bytes.
///
/// # Errors
/// A sentence that shows what a right one looks like.
pub fn parse_rate(text: &str) -> Result<NonZeroU64, String> {
    let wrong = || format!("{text:?} is no rate; write it as 10MiB/s, 500KB/s or 80Mbit/s");
    let amount = text.strip_suffix("/s").unwrap_or(text).trim();
    let end = amount
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(amount.len());
    let (number, unit) = amount.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1_048_576.0,
        "g" | "gib" => 1_073_741_824.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "bit" => 0.125,
        "kbit" => 125.0,
        "mbit" => 125e3,
        "gbit" => 125e6,
        _ => return Err(wrong()),
    };
    let bytes = number * factor;
    // Above 2^53 a float no longer holds every whole number, and nobody has such a line.
    if !(1.0..=9e15).contains(&bytes) {
        return Err(wrong());
    }
    NonZeroU64::new(bytes as u64).ok_or_else(wrong)
}

/// Bytes: `8MiB`, `500KB`, `16M`, `100`.
///
/// # Errors
/// A sentence that shows what a right one looks like.
pub(crate) fn parse_size(text: &str) -> Result<NonZeroUsize, String> {
    let wrong = || format!("{text:?} is no size; write it as 8MiB or 500KB");
    if text.ends_with("/s") || text.ends_with("bit") {
        return Err(wrong());
    }
    let bytes = parse_rate(text).map_err(|_| wrong())?;
    NonZeroUsize::try_from(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_their_parts_up() {
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "h", "10x", "10m5", "-5m", "1e300h", "5µs"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    /// Bits taken for bytes would fill a line eight times over.
    #[test]
    fn rates_tell_bits_from_bytes_and_powers_of_two_from_those_of_ten() {
        for (text, bytes) in [
            ("1000", 1000),
            ("10MiB/s", 10 << 20),
            ("10M", 10 << 20),
            ("10m/s", 10 << 20),
            ("1.5k", 1536),
            ("10MB/s", 10_000_000),
            ("80Mbit/s", 10_000_000),
            ("8 Kbit/s", 1000),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse_rate(text).map(NonZeroU64::get), Ok(bytes), "{text}");
        }
        assert_eq!(parse_size("8MiB").map(NonZeroUsize::get), Ok(8 << 20));
        assert!(parse_size("8MiB/s").is_err() && parse_size("8Mbit").is_err());
        for wrong in ["", "0", "fast", "10 parsecs", "-1", "1e99", "NaN", "0.1bit"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
