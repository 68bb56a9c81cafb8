//! What writes into folders of ours beside restic's: the trash and parity. None of it may cost a snapshot.

use strongroom_repository::Result;
use strongroom_repository::forget::plan_forget_named;
use strongroom_repository::lock::Access;
use strongroom_repository::parity::ParityOptions;
use strongroom_repository::progress::Silent;
use strongroom_repository::trash::plan_undelete;
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, locked};

/// Puts the first snapshot into the trash.
pub async fn throw_away(scene: &Scene, attempt: Attempt) -> Result<()> {
    let repository = scene.process(attempt.storage);
    locked(
        &repository,
        Access::Exclusive,
        &attempt.locks,
        async |lock| {
            let mut files = repository.load_snapshots(&Silent).await?;
            files.retain(|file| file.snapshot.time == scene.first_time());
            let (keep_for, now) = ("1d".parse().unwrap(), scene.now());
            let plan = plan_forget_named(files);
            let plan = plan.into_trash(&repository, keep_for, now, &Silent).await?;
            let cancel = CancellationToken::new();
            plan.execute(&repository, lock, &Silent, &cancel).await?;
            Ok(())
        },
    )
    .await
}

pub async fn bring_back(scene: &Scene, attempt: Attempt) -> Result<()> {
    let repository = scene.process(attempt.storage);
    locked(&repository, Access::Append, &attempt.locks, async |lock| {
        let (entries, unreadable) = repository.load_trash(&Silent).await?;
        if let Some((_, error)) = unreadable.into_iter().next() {
            return Err(error);
        }
        let cancel = CancellationToken::new();
        let plan = plan_undelete(&repository, entries, &Silent, &cancel).await?;
        plan.execute(&repository, lock, &cancel).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_a_forget_into_the_trash() {
    let scene = Scene::with_snapshots().await;
    let tried = CrashPoints::new("forget --trash", &scene.storage)
        .run(async |attempt| throw_away(&scene, attempt).await)
        .await;
    assert_eq!(tried.changes, 4, "a lock, the trash and the snapshot");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_an_undelete() {
    let scene = Scene::with_snapshots().await;
    throw_away(&scene, scene.attempt()).await.unwrap();
    let tried = CrashPoints::new("undelete", &scene.storage)
        .run(async |attempt| bring_back(&scene, attempt).await)
        .await;
    assert_eq!(tried.changes, 4, "a lock, the snapshot and the trash");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_parity_made() {
    let scene = Scene::with_snapshots().await;
    let make = async |attempt: Attempt| {
        let repository = scene.repository.with_storage(attempt.storage);
        locked(
            &repository,
            Access::Exclusive,
            &attempt.locks,
            async |lock| {
                let options = ParityOptions {
                    percent: Some(20),
                    exclusive: true,
                    accept_missing: false,
                };
                let cancel = CancellationToken::new();
                let plan = repository.plan_parity(&options, &cancel).await?;
                repository
                    .make_parity(&plan, lock, &Silent, &cancel)
                    .await?;
                Ok(())
            },
        )
        .await
    };
    let tried = CrashPoints::new("parity", &scene.storage).run(make).await;
    assert!(tried.changes > 4, "{tried:?}");
}
