//! Targets for what people write: times, names, patterns, places, options.

use strongroom_repository::check::ReadData;
use strongroom_repository::forget::{Count, Duration};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::pattern::{
    Case, PatternList, PatternSet, clean, decode_text, parse_pattern_file,
};
use strongroom_repository::prune::MaxUnused;
use strongroom_repository::restore::TargetPath;
use strongroom_repository::snapshots::{GroupBy, SnapshotReference};
use strongroom_storage::{Location, StoragePath};

/// A text and a number: the instant of a file system may be any.
pub(super) fn time(input: &[u8]) {
    if let Some((seconds, rest)) = input.split_first_chunk::<8>() {
        let nanosecond = rest.first().map_or(0, |byte| u32::from(*byte) << 24);
        let seconds = i64::from_le_bytes(*seconds);
        reads_back(Time::from_unix(
            seconds,
            nanosecond,
            &jiff::tz::TimeZone::UTC,
        ));
    }
    if let Some(time) = as_text(input).and_then(|text| text.parse::<Time>().ok()) {
        reads_back(time);
    }
}

fn reads_back(time: Time) {
    let text = time.to_string();
    let again: Time = text.parse().expect("what was written can be read");
    assert_eq!((again, again.offset()), (time, time.offset()), "{text}");
    assert_eq!(again.to_string(), text);
    assert!(time.nanosecond() < 1_000_000_000);
    let _ = time.instant();
}

pub(super) fn id(input: &[u8]) {
    if let Some(id) = as_text(input).and_then(|text| text.parse::<Id>().ok()) {
        assert_eq!(id.to_hex().as_bytes(), input);
        assert!(id.to_hex().starts_with(&id.short()));
    }
}

/// Patterns, one a line; the last line is the path.
pub(super) fn pattern(input: &[u8]) {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let path = clean(lines.pop().unwrap_or_default());
    assert_eq!(clean(&path), path, "cleaning is done once");
    for case in [Case::Sensitive, Case::Insensitive] {
        let Ok(list) = PatternList::parse(&lines, case) else {
            continue;
        };
        let verdict = list.matches(&path);
        assert_eq!(list.is_match(&path), verdict.matched);
        if let Some(parent) = parent(&path) {
            // A walk that does not go down where a pattern may match would miss it silently.
            assert!(
                !verdict.matched || list.matches(parent).child_may_match,
                "{lines:?} {path:?}"
            );
        }
    }
    let none: [&[u8]; 0] = [];
    if let Ok(set) = PatternSet::parse(&lines, none) {
        let _ = (set.is_match(&path), set.matches(&path));
    }
}

fn parent(path: &[u8]) -> Option<&[u8]> {
    let at = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .filter(|at| *at > 0)?;
    path.get(..at)
}

pub(super) fn pattern_file(input: &[u8]) {
    let _ = decode_text(input);
    let variable = |name: &[u8]| (name == b"HOME").then(|| b"/home/ada".to_vec());
    for line in parse_pattern_file(input, &variable) {
        let _ = PatternList::parse([line], Case::Sensitive);
    }
}

pub(super) fn location(input: &[u8]) {
    let Some(text) = as_text(input) else {
        return;
    };
    if let Err(error) = Location::parse(text) {
        let _ = error.to_string();
    }
}

/// No name leads out of a storage or a target.
pub(super) fn path(input: &[u8]) {
    if let Some(path) = as_text(input).and_then(|text| StoragePath::new(text).ok()) {
        let parts: Vec<&str> = path.as_str().split('/').collect();
        assert!(parts.iter().all(|part| !matches!(*part, "" | "." | "..")));
        assert_eq!(parts.last(), Some(&path.file_name()));
    }
    let mut target = TargetPath::root();
    for name in input.split(|byte| *byte == b'\n') {
        let Ok(joined) = target.join(name) else {
            continue;
        };
        assert_eq!(joined.split(), Some((target, name)));
        target = joined;
    }
    assert!(
        target
            .names()
            .all(|name| !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/'))
    );
    assert_eq!(clean(&target.absolute()), target.absolute());
}

/// Options whose text has a small language.
pub(super) fn option(input: &[u8]) {
    if let Ok(reference) = SnapshotReference::parse(input) {
        assert_eq!(clean(&reference.path), reference.path);
        assert!(reference.path.starts_with(b"/"));
    }
    let Some(text) = as_text(input) else {
        return;
    };
    if let Ok(duration) = text.parse::<Duration>()
        && !duration.is_zero()
    {
        assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
    }
    let _ = text.parse::<Count>();
    let _ = text.parse::<ReadData>();
    let _ = text.parse::<MaxUnused>();
    let _ = text.parse::<GroupBy>();
}

fn as_text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
