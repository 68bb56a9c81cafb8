use std::sync::Arc;

use strongroom_repository::forget::{
    AgeBy, Calendar, Count, ForgetOptions, Policy, plan_forget, plan_forget_named,
};
use strongroom_repository::format::Id;
use strongroom_repository::progress::Silent;
use strongroom_repository::snapshots::{
    GroupBy, SnapshotFilter, SnapshotName, TagList, select_all, select_one,
};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{ErrorKind, FileKind};
use strongroom_storage::{MemoryStorage, Operation, Storage};
use strongroom_testkit::RecordingStorage;
use strongroom_testkit::engine::{new_repository, open_repository};
use tokio_util::sync::CancellationToken;

use crate::scene::{exclusive, fill, ids, now, snapshot};

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

#[tokio::test]
async fn what_was_planned_is_removed_and_nothing_else() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let all = ids(&repository).await;
    let plan = plan_forget(&repository, &keep_last(3), &Silent)
        .await
        .unwrap();
    assert_eq!(plan.groups.len(), 2);
    let mut about: Vec<Id> = plan.files().map(|file| file.id).collect();
    about.sort();
    assert_eq!(about, all, "what stays and what goes");
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
    // The broken one may be the newest: an older state must not pass for it.
    assert_eq!(latest.unwrap_err().kind(), ErrorKind::Damaged);
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
