//! What removes and replaces snapshots, and locks.

use strongroom_repository::forget::plan_forget_named;
use strongroom_repository::format::Id;
use strongroom_repository::lock::Access;
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::SnapshotFile;
use strongroom_repository::rewrite::{DropMetadata, RewriteOptions, plan_rewrite};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{Repository, Result};
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use strongroom_testkit::engine::{FakeClock, FakeHost};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, locked};

async fn named(repository: &Repository, ids: &[Id]) -> Result<Vec<SnapshotFile>> {
    let mut files = repository.load_snapshots(&Silent).await?;
    files.retain(|file| ids.contains(&file.id));
    Ok(files)
}

/// Removes these snapshots.
pub async fn forget(scene: &Scene, attempt: Attempt, ids: &[Id]) -> Result<()> {
    let repository = scene.process(attempt.storage);
    locked(
        &repository,
        Access::Exclusive,
        &attempt.locks,
        async |lock| {
            let plan = plan_forget_named(named(&repository, ids).await?);
            let cancel = CancellationToken::new();
            plan.execute(&repository, lock, &Silent, &cancel).await?;
            Ok(())
        },
    )
    .await
}

/// Gives all snapshots a tag.
pub async fn tag(scene: &Scene, attempt: Attempt) -> Result<()> {
    let repository = scene.process(attempt.storage);
    locked(
        &repository,
        Access::Exclusive,
        &attempt.locks,
        async |lock| {
            let change = TagChange::Set(vec!["kept".into()]);
            let plan = plan_tags(repository.load_snapshots(&Silent).await?, &change)?;
            let cancel = CancellationToken::new();
            plan.execute(&repository, lock, &Silent, &cancel).await?;
            Ok(())
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_forget() {
    let scene = Scene::with_snapshots().await;
    let ids = scene.snapshot_ids().await;
    let tried = CrashPoints::new("forget", &scene.storage)
        .run(async |attempt| forget(&scene, attempt, &ids[..2]).await)
        .await;
    assert_eq!(tried.changes, 4, "a lock and two snapshots");
}

/// A snapshot is named by its content: to change it (a pin is a tag, too) is to write another and remove the first.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_change_of_tags() {
    let scene = Scene::with_snapshots().await;
    let tried = CrashPoints::new("tag", &scene.storage)
        .run(async |attempt| tag(&scene, attempt).await)
        .await;
    assert_eq!(tried.changes, 8, "a lock and three snapshots");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_an_unlock() {
    let scene = Scene::with_snapshots().await;
    for pid in 0..3 {
        let gone = FakeHost::new("elsewhere", pid).lock_options(&FakeClock::new());
        let cancel = CancellationToken::new();
        let lock = scene.repository.lock(Access::Append, &gone, &cancel).await;
        drop(lock.unwrap());
    }
    let tried = CrashPoints::new("unlock", &scene.storage)
        .run(async |attempt| {
            let repository = scene.repository.with_storage(attempt.storage);
            repository.unlock(&attempt.locks, true).await.map(drop)
        })
        .await;
    assert_eq!(tried.changes, 3);
}

/// Every file named `small` goes, and the old snapshots with it.
#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_rewrite() {
    let scene = Scene::with_snapshots().await;
    let insensitive: [&str; 0] = [];
    let options = RewriteOptions {
        exclude: PatternSet::parse(["small"], insensitive).unwrap(),
        drop: DropMetadata::default(),
        new_host: None,
        new_time: None,
        snapshot_summary: false,
        forget: true,
    };
    let tried = CrashPoints::new("rewrite", &scene.storage)
        .run(async |attempt| {
            let repository = scene.repository.with_storage(attempt.storage);
            locked(
                &repository,
                Access::Exclusive,
                &attempt.locks,
                async |lock| {
                    let (files, cancel) = (
                        repository.load_snapshots(&Silent).await?,
                        CancellationToken::new(),
                    );
                    let options = options.clone();
                    let plan =
                        plan_rewrite(&repository, files, options, scene.now(), &Silent, &cancel)
                            .await?;
                    plan.execute(&repository, lock, &Silent, &cancel).await?;
                    Ok(())
                },
            )
            .await
        })
        .await;
    assert!(tried.changes > 8 && tried.asked_restic > 0, "{tried:?}");
}
