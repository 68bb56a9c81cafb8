//! The same with a key that signs what is done: whatever happens to a storage, no snapshot that was reported loses its
//! signature, and nobody is called a thief for it.
//!
//! `tests/signatures/crash.rs` kills signing runs after each call, reads too, with snapshots of nothing; here are real
//! ones, and the other ways in which a call can go wrong.

use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::progress::Silent;
use strongroom_repository::{FileKind, Repository, Result};
use strongroom_testkit::crash_points::{Attempt, CrashPoints};
use tokio_util::sync::CancellationToken;

use crate::own::{bring_back, throw_away};
use crate::prune::prune;
use crate::scene::{Scene, locked};
use crate::snapshots::{forget, tag};

fn points<'a>(name: &'a str, scene: &Scene) -> CrashPoints<'a> {
    CrashPoints {
        signing: scene.signing.clone(),
        ..CrashPoints::new(name, &scene.storage)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_signed_backup() {
    let scene = Scene::signed().await;
    let parent = scene.snapshot_ids().await.pop();
    scene.write("new/a", 21, 90_000);
    let tried = points("signed backup", &scene)
        .run(async |attempt| scene.backup(attempt, 4, parent).await.map(drop))
        .await;
    assert!(tried.changes >= 9 && tried.asked_restic > 0, "{tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_signed_forget() {
    let scene = Scene::signed().await;
    let ids = scene.snapshot_ids().await;
    let tried = points("signed forget", &scene)
        .run(async |attempt| forget(&scene, attempt, &ids[..2]).await)
        .await;
    assert_eq!(tried.changes, 7, "a lock, two snapshots and what says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_signed_change_of_tags() {
    let scene = Scene::signed().await;
    let tried = points("signed tag", &scene)
        .run(async |attempt| tag(&scene, attempt).await)
        .await;
    assert!(tried.changes > 20 && tried.asked_restic > 0, "{tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_a_signed_way_into_the_trash_and_back() {
    let scene = Scene::signed().await;
    let tried = points("signed forget --trash", &scene)
        .run(async |attempt| throw_away(&scene, attempt).await)
        .await;
    assert_eq!(tried.changes, 7, "a lock, the trash, the snapshot");
    throw_away(&scene, scene.attempt()).await.unwrap();
    let tried = points("signed undelete", &scene)
        .run(async |attempt| bring_back(&scene, attempt).await)
        .await;
    assert_eq!(tried.changes, 7, "a lock, the snapshot, the trash");
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_t25_a_prune_of_what_is_signed() {
    let scene = Scene::signed().await;
    let first = scene.snapshot_ids().await[0];
    forget(&scene, scene.attempt(), &[first]).await.unwrap();
    let tried = points("signed prune", &scene)
        .run(async |attempt| prune(&scene, attempt).await.map(drop))
        .await;
    assert!(tried.changes > 8 && tried.asked_restic > 0, "{tried:?}");
}

async fn exclusively(
    scene: &Scene,
    attempt: Attempt,
    work: impl AsyncFnOnce(&Repository, &Lock, &CancellationToken) -> Result<()>,
) -> Result<()> {
    let (repository, cancel) = (scene.process(attempt.storage), CancellationToken::new());
    let (access, locks) = (Access::Exclusive, &attempt.locks);
    locked(&repository, access, locks, async |lock| {
        work(&repository, lock, &cancel).await
    })
    .await
}

/// One statement in place of four.
#[tokio::test(flavor = "multi_thread")]
async fn t19_a_compaction_of_signatures() {
    let scene = Scene::signed().await;
    let first = scene.snapshot_ids().await[0];
    forget(&scene, scene.attempt(), &[first]).await.unwrap();
    let compact = async |repository: &Repository, lock: &Lock, cancel: &CancellationToken| {
        let plan = repository.plan_compact(&Silent, cancel).await?;
        plan.execute(repository, lock).await
    };
    let tried = points("sign compact", &scene)
        .run(async |attempt| exclusively(&scene, attempt, compact).await)
        .await;
    assert_eq!(tried.changes, 7, "a lock, a checkpoint and four statements");
}

/// A snapshot that somebody took away is accepted as lost.
#[tokio::test(flavor = "multi_thread")]
async fn t19_an_accepted_loss() {
    let scene = Scene::signed().await;
    let first = scene.snapshot_ids().await[0];
    let stolen = scene.repository.delete_file(FileKind::Snapshot, &first);
    stolen.await.unwrap();
    let accept = async |repository: &Repository, lock: &Lock, cancel: &CancellationToken| {
        let plan = repository.plan_accept(&Silent, cancel).await?;
        plan.execute(repository, lock).await
    };
    let tried = points("sign accept", &scene)
        .run(async |attempt| exclusively(&scene, attempt, accept).await)
        .await;
    assert!(tried.changes > 3, "{tried:?}");
}
