//! Snapshots of two hosts over ten days.

use jiff::Timestamp;
use strongroom_repository::format::{Id, Snapshot, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::{FileKind, Repository};
use strongroom_testkit::engine::{FakeClock, FakeHost};
use tokio_util::sync::CancellationToken;

pub fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

pub fn snapshot(day: i64, host: &str, tags: &[&str]) -> Snapshot {
    let instant = now() - jiff::SignedDuration::from_hours(24 * day);
    Snapshot {
        time: Time::utc(instant),
        parent: None,
        tree: Id::of(b"tree"),
        paths: vec!["/data".into()],
        hostname: host.into(),
        username: "ada".into(),
        uid: 1,
        gid: 2,
        excludes: Vec::new(),
        tags: tags.iter().map(ToString::to_string).collect(),
        original: None,
        program_version: "test".into(),
        summary: None,
    }
}

/// Ten days of two hosts; the newest of each comes first.
pub async fn fill(repository: &Repository) {
    for day in 1..=10 {
        for host in ["ada", "bob"] {
            let tags: &[&str] = if day % 2 == 0 { &["even"] } else { &[] };
            let json = snapshot(day, host, tags).encode();
            repository
                .save_file(FileKind::Snapshot, json)
                .await
                .unwrap();
        }
    }
}

pub async fn exclusive(repository: &Repository) -> Lock {
    let options = FakeHost::new("here", 1).lock_options(&FakeClock::new());
    let cancel = CancellationToken::new();
    repository
        .lock(Access::Exclusive, &options, &cancel)
        .await
        .unwrap()
}

pub async fn ids(repository: &Repository) -> Vec<Id> {
    let files = repository.list(FileKind::Snapshot).await.unwrap();
    let mut ids: Vec<Id> = files.iter().map(|file| file.id).collect();
    ids.sort();
    ids
}
