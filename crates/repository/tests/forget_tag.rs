//! Forgetting and tagging: exactly what was planned is removed, and an interruption leaves nothing missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use strongroom_repository::forget::{
    Calendar, Count, ForgetOptions, Policy, plan_forget, plan_forget_named,
};
use strongroom_repository::format::{Id, Snapshot, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{OpenOptions, SnapshotFile};
use strongroom_repository::snapshots::{
    GroupBy, SnapshotFilter, SnapshotName, TagList, select_all, select_named, select_one,
};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{LocalStorage, MemoryStorage, Operation, Storage};
use strongroom_testkit::engine::{FakeClock, FakeHost, new_repository, open_repository};
use strongroom_testkit::{FaultyStorage, RecordingStorage, Restic};
use tokio_util::sync::CancellationToken;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn snapshot(day: i64, host: &str, tags: &[&str]) -> Snapshot {
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
async fn fill(repository: &Repository) {
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

async fn exclusive(repository: &Repository) -> Lock {
    let options = FakeHost::new("here", 1).lock_options(&FakeClock::new());
    let cancel = CancellationToken::new();
    repository
        .lock(Access::Exclusive, &options, &cancel)
        .await
        .unwrap()
}

async fn ids(repository: &Repository) -> Vec<Id> {
    let files = repository.list(FileKind::Snapshot).await.unwrap();
    let mut ids: Vec<Id> = files.iter().map(|file| file.id).collect();
    ids.sort();
    ids
}

fn keep_last(count: u32) -> ForgetOptions {
    ForgetOptions {
        filter: SnapshotFilter::default(),
        group_by: GroupBy::default(),
        policy: Policy {
            last: Count::AtMost(count),
            ..Policy::default()
        },
        calendar: Calendar::Written,
        now: now(),
        allow_remove_all: false,
    }
}

#[tokio::test]
async fn what_was_planned_is_removed_and_nothing_else() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let all = ids(&repository).await;
    let plan = plan_forget(&repository, &keep_last(3), &Silent)
        .await
        .unwrap();
    assert_eq!(plan.groups.len(), 2);
    assert_eq!(ids(&repository).await, all, "a plan changes nothing");
    // A backup between plan and execution is nobody's business.
    let late = snapshot(0, "ada", &[]).encode();
    let late = repository
        .save_file(FileKind::Snapshot, late)
        .await
        .unwrap();
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    let mut removed = plan
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap();
    removed.sort();
    let mut planned: Vec<Id> = plan.remove().map(|file| file.id).collect();
    planned.sort();
    assert_eq!((removed.len(), &removed), (14, &planned));
    let mut left: Vec<Id> = all.into_iter().filter(|id| !removed.contains(id)).collect();
    left.push(late);
    left.sort();
    assert_eq!(ids(&repository).await, left);
    // A second time there is nothing to do, and no harm.
    assert_eq!(
        plan.execute(&repository, &lock, &Silent, &cancel)
            .await
            .unwrap(),
        []
    );
}

/// T-13: a slip in a tag must not cost all backups.
#[tokio::test]
async fn t13_a_policy_that_keeps_nothing_of_a_group_is_refused() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let mut options = keep_last(0);
    let refused = |options: &ForgetOptions| {
        let (repository, options) = (repository.clone(), options.clone());
        async move {
            let refused = plan_forget(&repository, &options, &Silent)
                .await
                .unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
            refused.to_string()
        }
    };
    assert!(refused(&options).await.contains("no rule"));
    options.policy.tags = vec![TagList::parse("evne")];
    assert!(
        refused(&options)
            .await
            .contains("none of the 10 snapshots of host ada")
    );
    options.allow_remove_all = true;
    assert!(refused(&options).await.contains("name it"));
    options.filter.hosts = vec!["bob".into()];
    let plan = plan_forget(&repository, &options, &Silent).await.unwrap();
    assert_eq!(plan.remove().count(), 10);
    assert!(plan.remove().all(|file| file.snapshot.hostname == "bob"));
}

/// If somebody removed what the plan keeps, the plan would remove the last ones.
#[tokio::test]
async fn a_plan_that_is_out_of_date_is_refused() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let plan = plan_forget(&repository, &keep_last(1), &Silent)
        .await
        .unwrap();
    let kept = plan.groups[1].keep[0].stored.id;
    repository
        .delete_file(FileKind::Snapshot, &kept)
        .await
        .unwrap();
    let before = ids(&repository).await;
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    let error = plan
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(ids(&repository).await, before);
}

#[tokio::test]
async fn without_the_lock_nothing_is_removed() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let plan = plan_forget(&repository, &keep_last(1), &Silent)
        .await
        .unwrap();
    let lock = exclusive(&repository).await;
    for file in repository.list(FileKind::Lock).await.unwrap() {
        repository
            .delete_file(FileKind::Lock, &file.id)
            .await
            .unwrap();
    }
    let before = ids(&repository).await;
    let cancel = CancellationToken::new();
    let error = plan
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockLost);
    let tags = plan_tags(
        select_all(&repository, &SnapshotFilter::default(), &Silent)
            .await
            .unwrap()
            .0,
        &TagChange::Set(vec!["x".into()]),
    )
    .unwrap();
    let error = tags
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockLost);
    assert_eq!(ids(&repository).await, before);
}

#[tokio::test]
async fn a_damaged_snapshot_is_told_and_stays() {
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    fill(&repository).await;
    let broken = Id::of(b"broken");
    let path = FileKind::Snapshot.path(&broken).unwrap();
    let (mode, class) = (
        strongroom_storage::WriteMode::New,
        strongroom_storage::Class::Metadata,
    );
    storage
        .write(&path, bytes::Bytes::from_static(b"broken"), mode, class)
        .await
        .unwrap();
    let plan = plan_forget(&repository, &keep_last(1), &Silent)
        .await
        .unwrap();
    assert_eq!(plan.unreadable.len(), 1);
    assert_eq!(plan.unreadable[0].0, broken);
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    plan.execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap();
    assert_eq!(ids(&repository).await.len(), 3);
    assert!(ids(&repository).await.contains(&broken));
    let latest = select_one(
        &repository,
        &SnapshotName::Latest,
        &SnapshotFilter::default(),
        now(),
        &Silent,
    )
    .await;
    assert!(latest.is_ok());
}

#[tokio::test]
async fn names_lead_to_snapshots() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let filter = SnapshotFilter {
        hosts: vec!["bob".into()],
        ..SnapshotFilter::default()
    };
    let name = |text: &str| text.parse::<SnapshotName>().unwrap();
    let latest = select_one(&repository, &name("latest"), &filter, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(latest.snapshot, snapshot(1, "bob", &[]));
    let at = SnapshotFilter {
        until: Some(now() - jiff::SignedDuration::from_hours(24 * 4)),
        ..filter.clone()
    };
    let earlier = select_one(&repository, &name("latest"), &at, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(earlier.snapshot, snapshot(4, "bob", &["even"]));
    let names = [
        name(&earlier.id.to_hex()),
        name("latest"),
        name(&earlier.id.to_hex()[..20]),
    ];
    let chosen = select_named(&repository, &names, &filter, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(chosen, [earlier, latest]);
    let kind = |text: &str, filter: SnapshotFilter| {
        let (repository, name) = (repository.clone(), name(text));
        async move {
            select_one(&repository, &name, &filter, now(), &Silent)
                .await
                .unwrap_err()
                .kind()
        }
    };
    assert_eq!(
        kind(&Id::of(b"nothing").to_hex(), filter.clone()).await,
        ErrorKind::NotFound
    );
    assert_eq!(
        kind(&Id::of(b"nothing").to_hex()[..10], filter).await,
        ErrorKind::NotFound
    );
    let nobody = SnapshotFilter {
        hosts: vec!["nobody".into()],
        ..SnapshotFilter::default()
    };
    assert_eq!(kind("latest", nobody).await, ErrorKind::NotFound);
}

/// Killed after any call, every snapshot is there in its old or its new form, or both.
#[tokio::test]
async fn an_interrupted_change_of_tags_loses_no_snapshot() {
    let mut finished = false;
    for calls in 0..40 {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let repository = new_repository(Arc::clone(&storage)).await;
        for day in 1..=3 {
            let json = snapshot(day, "ada", &[]).encode();
            repository
                .save_file(FileKind::Snapshot, json)
                .await
                .unwrap();
        }
        let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
            .await
            .unwrap();
        let plan = plan_tags(all, &TagChange::Set(vec!["new".into()])).unwrap();
        let lock = exclusive(&repository).await;
        let dying = repository.with_storage(Arc::new(FaultyStorage::stops_after(
            Arc::clone(&storage),
            calls,
        )));
        let cancel = CancellationToken::new();
        finished = plan.execute(&dying, &lock, &Silent, &cancel).await.is_ok();
        let survivors = open_repository(storage).await;
        let (left, unreadable) = select_all(&survivors, &SnapshotFilter::default(), &Silent)
            .await
            .unwrap();
        assert!(unreadable.is_empty());
        for change in &plan.changes {
            let is_there =
                |file: &SnapshotFile| file.id == change.old.id || file.snapshot == change.new;
            assert!(left.iter().any(is_there), "after {calls} calls");
        }
        if finished {
            assert!(left.iter().all(|file| file.snapshot.tags == ["new"]) && left.len() == 3);
            break;
        }
    }
    assert!(finished);
}

#[tokio::test]
async fn tags_are_those_that_restic_would_have_written() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    let restic = Restic::new(&ours, "try-me");
    restic.init();
    fs_tree(dir.path());
    restic.backup_with(["--tag", "a,b"], &[&dir.path().join("tree")]);
    restic.backup_with(["--tag", "c"], &[&dir.path().join("tree")]);
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&ours, &theirs])
        .status();
    assert!(copied.unwrap().success());
    let other = Restic::new(&theirs, "try-me");
    other.run(["tag", "--add", "d", "--remove", "a"]).ok();

    let password = SecretString::from("try-me");
    let storage = Arc::new(LocalStorage::new(&ours));
    let repository = Repository::open(storage, &password, &OpenOptions::default())
        .await
        .unwrap();
    let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
        .await
        .unwrap();
    let change = TagChange::Edit {
        add: vec!["d".into()],
        remove: vec!["a".into()],
    };
    let lock = exclusive(&repository).await;
    let plan = plan_tags(all, &change).unwrap();
    plan.execute(&repository, &lock, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    lock.release().await.unwrap();
    let told = |restic: &Restic| {
        let mut told = restic.snapshots();
        for snapshot in &mut told {
            let fields = snapshot.as_object_mut().unwrap();
            // The name is the hash of the encrypted file, and so random.
            fields.retain(|name, _| name != "id" && name != "short_id");
            let tags = fields["tags"].as_array_mut().unwrap();
            tags.sort_by_key(ToString::to_string);
        }
        told
    };
    assert_eq!(told(&restic), told(&other));
    assert_eq!(told(&restic)[0]["tags"], serde_json::json!(["b", "d"]));
    restic.check_read_data();
}

fn fs_tree(dir: &std::path::Path) {
    std::fs::create_dir(dir.join("tree")).unwrap();
    std::fs::write(dir.join("tree/file"), b"content").unwrap();
}

/// Named snapshots go whatever any policy says, and deleting costs one call each.
#[tokio::test]
async fn named_snapshots_are_removed_with_one_call_each() {
    let storage = Arc::new(MemoryStorage::new());
    fill(&new_repository(Arc::<MemoryStorage>::clone(&storage)).await).await;
    let recording = Arc::new(RecordingStorage::new(storage));
    let repository = open_repository(Arc::<RecordingStorage>::clone(&recording)).await;
    let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
        .await
        .unwrap();
    let plan = plan_forget_named(all[..5].to_vec());
    let lock = exclusive(&repository).await;
    plan.execute(&repository, &lock, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(ids(&repository).await.len(), 15);
    assert_eq!(recording.count(Operation::Delete, "snapshots"), 5);
    assert_eq!(recording.count(Operation::Write, "snapshots"), 0);
}
