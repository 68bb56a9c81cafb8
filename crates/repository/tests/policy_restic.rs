//! Retention beside the real restic's: hundreds of snapshots, random policies, the same snapshots kept for the same reasons.
//!
//! Where the two differ, somebody's only copy is removed, or a disk fills up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::forget::{Calendar, Count, Policy, apply_policy};
use strongroom_repository::format::{Id, KeyFile, Snapshot, Time};
use strongroom_repository::snapshots::{SnapshotFile, TagList};
use strongroom_testkit::{Ran, Random, Restic};

const PASSWORD: &str = "try-me";
const POLICIES: usize = 16;
const SNAPSHOTS: u64 = 90;

/// Each host's snapshots are written with the offsets of a zone.
const HOSTS: [(&str, &str); 3] = [
    ("utc", "UTC"),
    ("amsterdam", "Europe/Amsterdam"),
    ("kathmandu", "Asia/Kathmandu"),
];

fn master_key(vault: &Path) -> MasterKey {
    let key = std::fs::read_dir(vault.join("keys"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let key = KeyFile::decode(&std::fs::read(key.path()).unwrap()).unwrap();
    key.unlock(PASSWORD.as_bytes()).unwrap().unwrap()
}

/// Writes a snapshot as another program might: plain JSON, no compression.
fn write_snapshot(vault: &Path, key: &MasterKey, snapshot: Snapshot) -> SnapshotFile {
    let json = json!({
        "time": snapshot.time.to_string(),
        "tree": snapshot.tree,
        "paths": snapshot.paths,
        "hostname": snapshot.hostname,
        "tags": snapshot.tags,
    });
    let sealed = key.seal(json.to_string().as_bytes()).unwrap();
    let id = Id::of(&sealed);
    std::fs::write(vault.join("snapshots").join(id.to_hex()), sealed).unwrap();
    SnapshotFile { id, snapshot }
}

/// A time near the others (often in the same hour, day or second), with an offset of the zone.
fn random_time(random: &mut Random, zone: &TimeZone) -> Time {
    const ANCHORS: [&str; 6] = [
        "2024-12-30T00:00:00Z",
        "2024-10-26T20:00:00Z",
        "2024-03-30T20:00:00Z",
        "2023-12-31T20:00:00Z",
        "2021-01-01T00:00:00Z",
        "2020-02-28T00:00:00Z",
    ];
    let anchor: Timestamp = ANCHORS[random.below(6) as usize].parse().unwrap();
    let spread = [1, 3600, 86_400, 40 * 86_400, 800 * 86_400][random.below(5) as usize];
    let seconds = anchor.as_second() + random.below(spread) as i64;
    Time::from_unix(seconds, random.below(1_000_000_000) as u32, zone)
}

fn random_snapshots(
    vault: &Path,
    random: &mut Random,
) -> BTreeMap<&'static str, Vec<SnapshotFile>> {
    let key = master_key(vault);
    let mut hosts = BTreeMap::new();
    for (host, zone) in HOSTS {
        let zone = TimeZone::get(zone).unwrap();
        // The newest lies at noon: a duration that ends in an hour that the clock repeats is not decided the same way everywhere.
        let newest = Time::new("2026-03-29T12:00:00Z".parse().unwrap(), &zone);
        let future = Time::new("2099-01-01T12:00:00Z".parse().unwrap(), &zone);
        let mut times = vec![newest, future];
        times.extend((2..SNAPSHOTS).map(|_| random_time(random, &zone)));
        let mut write = |time| {
            let tags = [&[][..], &["a"], &["b"], &["a", "b"]][random.below(4) as usize];
            let snapshot = Snapshot {
                time,
                parent: None,
                tree: Id::of(b"tree"),
                paths: vec!["/data".into()],
                hostname: host.into(),
                username: String::new(),
                uid: 0,
                gid: 0,
                excludes: Vec::new(),
                tags: tags.iter().map(ToString::to_string).collect(),
                original: None,
                program_version: String::new(),
                summary: None,
            };
            write_snapshot(vault, &key, snapshot)
        };
        let snapshots: Vec<_> = times.into_iter().map(&mut write).collect();
        hosts.insert(host, snapshots);
    }
    hosts
}

/// A policy with the arguments that ask restic for the same.
fn random_policy(random: &mut Random) -> (Policy, Vec<String>) {
    let mut arguments = Vec::new();
    let mut policy = Policy::default();
    let counts = [
        ("last", &mut policy.last),
        ("hourly", &mut policy.hourly),
        ("daily", &mut policy.daily),
        ("weekly", &mut policy.weekly),
        ("monthly", &mut policy.monthly),
        ("yearly", &mut policy.yearly),
    ];
    for (name, count) in counts {
        if random.below(3) == 0 {
            let text = ["1", "3", "8", "30", "200", "unlimited"][random.below(6) as usize];
            *count = text.parse::<Count>().unwrap();
            arguments.push(format!("--keep-{name}={text}"));
        }
    }
    let durations = [
        ("", &mut policy.within),
        ("-hourly", &mut policy.within_hourly),
        ("-daily", &mut policy.within_daily),
        ("-weekly", &mut policy.within_weekly),
        ("-monthly", &mut policy.within_monthly),
        ("-yearly", &mut policy.within_yearly),
    ];
    for (name, duration) in durations {
        if random.below(4) == 0 {
            let text = ["1h", "36h", "17d", "1m", "13m", "1y2m3d4h", "5y3m", "50y"]
                [random.below(8) as usize];
            *duration = text.parse().unwrap();
            arguments.push(format!("--keep-within{name}={text}"));
        }
    }
    for tags in ["a,b", "b", "", "zz"] {
        if random.below(10) == 0 {
            policy.tags.push(TagList::parse(tags));
            arguments.push(format!("--keep-tag={tags}"));
        }
    }
    if policy.is_empty() {
        return random_policy(random);
    }
    (policy, arguments)
}

/// Identifier and reasons of what is kept, and what is removed.
type Outcome = (BTreeMap<String, Vec<String>>, Vec<String>);

fn ours(snapshots: &[SnapshotFile], policy: &Policy, calendar: &Calendar) -> Outcome {
    let retention = apply_policy(snapshots.to_vec(), policy, calendar, Timestamp::now());
    let reasons = |kept: &strongroom_repository::forget::Kept| {
        let reasons = kept.reasons.iter().map(ToString::to_string).collect();
        (kept.stored.id.to_hex(), reasons)
    };
    let keep = retention.keep.iter().map(reasons).collect();
    (
        keep,
        retention
            .remove
            .iter()
            .map(|stored| stored.id.to_hex())
            .collect(),
    )
}

fn theirs(group: &Value) -> Outcome {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keep = list(&group["keep"]);
    let reasons = list(&group["reasons"]);
    assert_eq!(keep.len(), reasons.len());
    let keep = keep.iter().zip(&reasons).map(|(kept, reason)| {
        let matches = list(&reason["matches"]).iter().map(text).collect();
        (text(&kept["id"]), matches)
    });
    (
        keep.collect(),
        list(&group["remove"])
            .iter()
            .map(|one| text(&one["id"]))
            .collect(),
    )
}

#[test]
fn policies_keep_what_restic_keeps_for_the_same_reasons() {
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault");
    let restic = Restic::new(&vault, PASSWORD);
    restic.init();
    let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    let mut random = Random::new(seed);
    let hosts = random_snapshots(&vault, &mut random);
    let mut compared = 0;
    for number in 0..POLICIES {
        let (policy, arguments) = random_policy(&mut random);
        // restic knows the machine's zone only: with it, snapshots of Amsterdam are judged by Amsterdam's calendar.
        let (machine, calendar) = match number % 2 {
            0 => ("UTC", Calendar::Written),
            _ => (
                "Europe/Amsterdam",
                Calendar::Zone(TimeZone::get("Europe/Amsterdam").unwrap()),
            ),
        };
        let mut command =
            restic.command(["forget", "--dry-run", "--json", "--no-cache", "--no-lock"]);
        let ran = Ran::run(command.args(&arguments).env("TZ", machine), b"");
        if ran
            .stderr_text()
            .contains("refusing to delete last snapshot")
        {
            continue;
        }
        for group in ran.ok().json().as_array().unwrap() {
            let host = group["host"].as_str().unwrap();
            if number % 2 == 1 && host != "amsterdam" {
                continue;
            }
            let ours = ours(&hosts[host], &policy, &calendar);
            assert_eq!(
                ours,
                theirs(group),
                "{host} in {machine}: {arguments:?}, seed {seed}"
            );
            compared += 1;
        }
    }
    assert!(
        compared > POLICIES / 2,
        "only {compared} groups were compared, seed {seed}"
    );
}
