//! Pinned snapshots: no policy and no slip removes them before their time.

use std::sync::Arc;

use strongroom_repository::forget::{
    AgeBy, Calendar, Count, ForgetOptions, Policy, plan_forget, plan_forget_named,
};
use strongroom_repository::progress::Silent;
use strongroom_repository::snapshots::{GroupBy, SnapshotFile, SnapshotFilter, select_all};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::engine::new_repository;
use tokio_util::sync::CancellationToken;

use crate::scene::{exclusive, fill, ids, now, snapshot};

const SOON: &str = "pinned-until:2026-06-02T00:00:00Z";
const ENDED: &str = "pinned-until:2026-05-31T00:00:00Z";

async fn add(repository: &Repository, day: i64, tags: &[&str]) -> SnapshotFile {
    let snapshot = snapshot(day, "ada", tags);
    let kind = FileKind::Snapshot;
    let id = repository.save_file(kind, snapshot.encode()).await.unwrap();
    SnapshotFile { id, snapshot }
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
        age_by: AgeBy::default(),
        now: now(),
        allow_remove_all: false,
    }
}

/// The newest snapshot of the scene is a day old.
#[tokio::test]
async fn a_policy_keeps_what_is_pinned_and_says_why() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let forever = add(&repository, 20, &["pinned"]).await;
    let soon = add(&repository, 21, &["pinned", SOON, "pin-note:tax"]).await;
    let bad = add(&repository, 22, &["pinned-until:whenever"]).await;
    let ended = add(&repository, 23, &["pinned", ENDED]).await;
    let plan = plan_forget(&repository, &keep_last(1), &Silent)
        .await
        .unwrap();
    let group = &plan.groups[0];
    let kept: Vec<_> = group.keep[1..]
        .iter()
        .map(|kept| (kept.stored.id, kept.reasons[0].to_string()))
        .collect();
    let until = "pinned until 2026-06-02T00:00:00Z".to_owned();
    assert_eq!(
        kept,
        [
            (forever.id, "pinned".to_owned()),
            (soon.id, until),
            (bad.id, "pinned".to_owned())
        ]
    );
    assert!(group.remove.iter().any(|file| file.id == ended.id));

    // T-13: a policy that is a slip is one beside a pin too.
    let refused = plan_forget(&repository, &keep_last(0), &Silent).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    let mut all = keep_last(0);
    all.allow_remove_all = true;
    all.filter.hosts = vec!["ada".into()];
    let plan = plan_forget(&repository, &all, &Silent).await.unwrap();
    assert_eq!(plan.groups[0].keep.len(), 3);
}

/// T-04: a pin that ends in a year does not end because a clock says so.
#[tokio::test]
async fn t04_a_clock_that_runs_ahead_ends_no_pin() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let soon = add(&repository, 20, &["pinned", SOON]).await;
    let mut ahead = keep_last(1);
    ahead.now = now() + jiff::SignedDuration::from_hours(24 * 365);
    let removes = async |options: &ForgetOptions| {
        let plan = plan_forget(&repository, options, &Silent).await.unwrap();
        plan.remove().any(|file| file.id == soon.id)
    };
    assert!(!removes(&ahead).await);
    // A snapshot of the future says nothing as long as it is one.
    add(&repository, -300, &[]).await;
    assert!(!removes(&keep_last(1)).await);
    // Both together are believed.
    assert!(removes(&ahead).await);
}

#[tokio::test]
async fn by_name_it_is_refused_until_the_pin_has_ended() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let forever = add(&repository, 20, &["pinned", "pin-note:tax"]).await;
    let ended = add(&repository, 23, &["pinned", ENDED]).await;
    let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
        .await
        .unwrap();
    let before = ids(&repository).await;
    let plan = plan_forget_named(all);
    let refused = plan
        .end_pins(&repository, now(), &Silent)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.to_string().contains("tax"), "{refused}");
    // Nobody asked the pins: the execution does.
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    for named in [forever, ended.clone()] {
        let plan = plan_forget_named(vec![named]);
        let refused = plan.execute(&repository, &lock, &Silent, &cancel).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    }
    assert_eq!(ids(&repository).await, before);
    let plan = plan_forget_named(vec![ended]);
    let plan = plan.end_pins(&repository, now(), &Silent).await.unwrap();
    let removed = plan.execute(&repository, &lock, &Silent, &cancel).await;
    assert_eq!(removed.unwrap().len(), 1);
}
