use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Calendar, Policy, Retention, apply_policy};
use crate::forget::Count;
use crate::snapshots::example::snapshot;
use crate::snapshots::{SnapshotFile, TagList};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn amsterdam() -> Calendar {
    Calendar::Zone(TimeZone::get("Europe/Amsterdam").unwrap())
}

fn taken(times: &[&str]) -> Vec<SnapshotFile> {
    times
        .iter()
        .map(|time| snapshot(time, "ada", &[], &["/x"]))
        .collect()
}

/// Each kept time with its reasons, newest first, the time in the notation it was given in.
fn kept(retention: &Retention, times: &[&str]) -> Vec<String> {
    let name = |stored: &SnapshotFile| {
        let of = |time: &&&str| taken(&[time])[0].id == stored.id;
        times.iter().find(of).unwrap().to_string()
    };
    let line = |kept: &super::Kept| {
        let reasons: Vec<_> = kept.reasons.iter().map(ToString::to_string).collect();
        format!("{}: {}", name(&kept.stored), reasons.join(", "))
    };
    retention.keep.iter().map(line).collect()
}

/// T-14: one snapshot may serve several rules, and each rule goes on counting with the next one.
#[test]
fn t14_rules_are_a_union() {
    let times = [
        "2024-12-31T23:00:00+01:00",
        "2024-12-31T12:00:00+01:00",
        "2024-12-30T12:00:00+01:00",
        "2024-11-30T12:00:00+01:00",
        "2023-06-01T12:00:00+02:00",
        "2023-05-01T12:00:00+02:00",
    ];
    let policy = Policy {
        daily: Count::AtMost(2),
        monthly: Count::AtMost(3),
        yearly: Count::AtMost(10),
        ..Policy::default()
    };
    let retention = apply_policy(taken(&times), &policy, &amsterdam(), now());
    assert_eq!(
        kept(&retention, &times),
        [
            "2024-12-31T23:00:00+01:00: daily snapshot, monthly snapshot, yearly snapshot",
            "2024-12-30T12:00:00+01:00: daily snapshot",
            "2024-11-30T12:00:00+01:00: monthly snapshot",
            "2023-06-01T12:00:00+02:00: monthly snapshot, yearly snapshot",
            "2023-05-01T12:00:00+02:00: oldest yearly snapshot",
        ]
    );
    assert_eq!(retention.remove, taken(&times[1..2]));
}

/// T-14: a snapshot a night at half past midnight is one a day, in summer and winter.
#[test]
fn t14_nights_around_a_change_of_the_clock_each_keep_their_own() {
    let times = [
        "2024-04-01T00:30:00+02:00",
        "2024-03-31T03:30:00+02:00",
        "2024-03-31T00:30:00+01:00",
        "2024-03-30T00:30:00+01:00",
        "2024-03-29T00:30:00+01:00",
    ];
    let policy = Policy {
        daily: Count::AtMost(3),
        ..Policy::default()
    };
    let retention = apply_policy(taken(&times), &policy, &amsterdam(), now());
    assert_eq!(
        kept(&retention, &times),
        [
            "2024-04-01T00:30:00+02:00: daily snapshot",
            "2024-03-31T03:30:00+02:00: daily snapshot",
            "2024-03-30T00:30:00+01:00: daily snapshot",
        ]
    );
}

#[test]
fn durations_are_measured_from_the_newest_that_is_not_in_the_future() {
    let times = [
        "2030-01-01T00:00:00Z",
        "2024-06-10T12:00:00Z",
        "2024-06-09T12:00:01Z",
        "2024-06-09T12:00:00Z",
        "2024-06-01T12:00:00Z",
    ];
    let policy = Policy {
        within: "1d".parse().unwrap(),
        ..Policy::default()
    };
    let retention = apply_policy(taken(&times), &policy, &Calendar::Written, now());
    assert_eq!(retention.keep.len(), 3);
    assert_eq!(retention.remove, taken(&times[3..]));
    let future = taken(&["2030-01-01T00:00:00Z", "2029-01-01T00:00:00Z"]);
    let retention = apply_policy(future, &policy, &Calendar::Written, now());
    assert_eq!(retention.keep.len(), 2);
}

#[test]
fn snapshots_of_the_same_instant_are_counted_one_by_one() {
    let same = |tag: &str| snapshot("2024-06-10T12:00:00Z", "ada", &[tag], &["/x"]);
    let all = vec![same("a"), same("b"), same("c")];
    let policy = Policy {
        last: Count::AtMost(2),
        ..Policy::default()
    };
    let first = apply_policy(all.clone(), &policy, &Calendar::Written, now());
    assert_eq!((first.keep.len(), first.remove.len()), (2, 1));
    let reversed = all.into_iter().rev().collect();
    assert_eq!(
        apply_policy(reversed, &policy, &Calendar::Written, now()),
        first
    );
}

#[test]
fn tags_keep_whatever_the_counts_say() {
    let all = vec![
        snapshot("2024-06-10T12:00:00Z", "ada", &[], &[]),
        snapshot("2024-06-09T12:00:00Z", "ada", &["a", "b"], &[]),
        snapshot("2024-06-08T12:00:00Z", "ada", &["a"], &[]),
        snapshot("2024-06-07T12:00:00Z", "ada", &["c"], &[]),
    ];
    let policy = Policy {
        last: Count::AtMost(1),
        tags: vec![TagList::parse("a,b"), TagList::parse("c")],
        ..Policy::default()
    };
    let retention = apply_policy(all.clone(), &policy, &Calendar::Written, now());
    assert_eq!(retention.remove, [all[2].clone()]);
    assert_eq!(retention.keep[1].reasons[0].to_string(), "has tags [a, b]");
}
