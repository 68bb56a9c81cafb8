//! Time templates, in the notation of Go that restic takes: the template is what the moment
//! `Mon Jan 2 15:04:05 -0700 MST 2006` would look like. Reference: package `time` of Go, section Constants.

use std::str::FromStr;

use jiff::Zoned;
use jiff::tz::TimeZone;
use strongroom_repository::format::Time;

use crate::error::{Error, ErrorKind};

/// How the times of snapshots are written, each with the offset from UTC that the snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// In the notation of strftime.
    Field(String),
    /// The same, but `Z` for UTC.
    Zone(&'static str),
}

/// Beginnings of the template and what they stand for in strftime; one that is the beginning of another comes after it.
const FIELDS: [(&str, &str); 26] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("-07:00:00", "%::z"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("-07", "%:::z"),
    ("2006", "%Y"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// The same for offsets that are `Z` in UTC.
const ZONES: [(&str, &str); 4] = [
    ("Z07:00:00", "%::z"),
    ("Z07:00", "%:z"),
    ("Z0700", "%z"),
    ("Z07", "%:::z"),
];

impl TimeTemplate {
    /// The time as text; it may hold `/`.
    pub fn format(&self, time: &Time) -> String {
        let zone = match time.offset() {
            offset if offset.seconds() == 0 => TimeZone::UTC,
            offset => TimeZone::fixed(offset),
        };
        let zoned = time.instant().to_zoned(zone);
        let pieces = self.0.iter().map(|piece| piece.format(&zoned));
        pieces.collect()
    }
}

impl Piece {
    fn format(&self, time: &Zoned) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Zone(_) if time.offset().seconds() == 0 => "Z".to_owned(),
            Self::Zone(field) => time.strftime(field).to_string(),
            Self::Field(field) => time.strftime(field).to_string(),
        }
    }
}

impl Default for TimeTemplate {
    /// restic's: `2006-01-02T15:04:05Z07:00`, the notation of RFC 3339 to the second.
    fn default() -> Self {
        Self(pieces("2006-01-02T15:04:05Z07:00"))
    }
}

impl FromStr for TimeTemplate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            let message = format!("the time template {text:?} {what}");
            Err(Error::new(ErrorKind::Template, message))
        };
        if text.starts_with('/') || text.ends_with('/') {
            return wrong("begins or ends with /");
        }
        let pieces = pieces(text);
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return wrong(
                "says nothing of the time; write what 2 January 2006, 15:04:05 would look like",
            );
        }
        Ok(Self(pieces))
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (piece, length) = field(rest).unwrap_or_else(|| {
            let length = letter.len_utf8();
            (Piece::Text(letter.into()), length)
        });
        rest = rest.get(length..).unwrap_or_default();
        match (pieces.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => pieces.push(piece),
        }
    }
    pieces
}

/// What the text begins with, and how long that is.
fn field(text: &str) -> Option<(Piece, usize)> {
    if let Some(found) = decimals(text) {
        return Some(found);
    }
    for (start, field) in ZONES {
        if text.starts_with(start) {
            return Some((Piece::Zone(field), start.len()));
        }
    }
    for (start, field) in FIELDS {
        if let Some(rest) = text.strip_prefix(start) {
            let goes_on = rest.starts_with(|next: char| next.is_ascii_lowercase());
            // "Janet" and "Month" are no names of months and days.
            if !(matches!(start, "Jan" | "Mon") && goes_on) {
                return Some((Piece::Field(field.to_owned()), start.len()));
            }
        }
    }
    None
}

/// `.000`: so many decimals of the second; `.999`: without zeros at their end.
fn decimals(text: &str) -> Option<(Piece, usize)> {
    let digits = text.strip_prefix('.')?;
    let digit = digits
        .chars()
        .next()
        .filter(|digit| matches!(digit, '0' | '9'))?;
    let count = digits.len() - digits.trim_start_matches(digit).len();
    let behind = digits.get(count..).unwrap_or_default();
    if count > 9 || behind.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let field = match digit {
        '0' => format!("%.{count}f"),
        _ => "%.f".to_owned(),
    };
    Some((Piece::Field(field), 1 + count))
}

#[cfg(test)]
mod tests {
    use super::TimeTemplate;
    use strongroom_repository::format::Time;

    /// The expected texts are what Go 1.24 prints.
    #[test]
    fn a_template_is_the_reference_moment_as_it_would_look() {
        let time: Time = "2024-03-09T16:07:08.12+02:00".parse().unwrap();
        for (template, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2024-03-09T16:07:08+02:00"),
            ("2006-01-02_15-04-05", "2024-03-09_16-07-08"),
            ("2006/01/02/15:04", "2024/03/09/16:07"),
            ("Mon Jan _2 3:04PM 06", "Sat Mar  9 4:07PM 24"),
            ("Monday, 2 January; 002", "Saturday, 9 March; 069"),
            ("15:04:05.000 -0700", "16:07:08.120 +0200"),
            ("15:04:05.999 -07:00", "16:07:08.12 +02:00"),
            ("Janet 1", "Janet 3"),
        ] {
            let template: TimeTemplate = template.parse().unwrap();
            assert_eq!(template.format(&time), expected);
        }
        let utc: Time = "2024-03-09T16:07:08Z".parse().unwrap();
        assert_eq!(TimeTemplate::default().format(&utc), "2024-03-09T16:07:08Z");
        for wrong in ["", "/2006", "2006/", "time"] {
            assert!(wrong.parse::<TimeTemplate>().is_err(), "{wrong}");
        }
    }
}
