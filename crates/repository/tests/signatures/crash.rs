//! A run that is killed after any of its storage calls leaves nothing that looks like tampering, and the next run finishes.

use std::path::Path;
use std::sync::Arc;

use strongroom_repository::forget::plan_forget_named;
use strongroom_repository::format::Id;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{Repository, Result};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::{FaultyStorage, engine_backup};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, assert_clean, lock, publish, try_lock, verify};

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Backup,
    Forget,
    Tag,
    Sign,
    Accept,
    Compact,
}

async fn run(operation: Operation, repository: &Repository, source: &Path) -> Result<()> {
    let cancel = CancellationToken::new();
    if operation == Operation::Backup {
        let backup = engine_backup::try_backup(repository, source, None, &cancel);
        return backup.await.map(|_| ());
    }
    let lock = try_lock(repository, Access::Exclusive).await?;
    let snapshots = repository.load_snapshots(&Silent).await?;
    match operation {
        Operation::Backup => {}
        Operation::Forget => {
            let oldest = snapshots.into_iter().take(3).collect();
            let plan = plan_forget_named(oldest);
            plan.execute(repository, &lock, &Silent, &cancel).await?;
        }
        Operation::Tag => {
            let change = TagChange::Set(vec!["kept".into()]);
            let plan = plan_tags(snapshots.into_iter().take(2).collect(), &change)?;
            plan.execute(repository, &lock, &Silent, &cancel).await?;
        }
        Operation::Sign => {
            let plan = repository.plan_sign(&[], &Silent, &cancel).await?;
            plan.execute(repository, &lock).await?;
        }
        Operation::Accept => {
            let plan = repository.plan_accept(&Silent, &cancel).await?;
            plan.execute(repository, &lock).await?;
        }
        Operation::Compact => {
            let plan = repository.plan_compact(&Silent, &cancel).await?;
            plan.execute(repository, &lock).await?;
        }
    }
    lock.release().await
}

async fn whole(operation: Operation) -> (Scene, Vec<Id>) {
    let (scene, ids) = Scene::with(4).await;
    if operation == Operation::Sign {
        publish(&scene.plain, 30).await;
        publish(&scene.plain, 31).await;
    }
    if operation == Operation::Accept {
        let doomed = lock(&scene.plain, Access::Exclusive).await;
        scene
            .plain
            .remove_snapshots(&ids[..1], &doomed)
            .await
            .unwrap();
        doomed.release().await.unwrap();
    }
    (scene, ids)
}

/// Kills the operation after each call; returns how many calls it has.
async fn kill_after_every_call(operation: Operation) -> usize {
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("file"), "content").unwrap();
    let (scene, _) = whole(operation).await;
    let keys = [scene.key.verifying_key()];
    let heads = scene.verify().await.heads;
    let mut calls = 0;
    loop {
        let when = format!("{operation:?} killed after {calls} calls");
        let left: MemoryStorage = scene.storage.fork();
        let faulty = FaultyStorage::stops_after(Arc::new(left.clone()), calls);
        let ended = run(operation, &scene.over(faulty), source.path()).await;
        let survivor = scene.over(left.clone());
        let report = verify(&survivor, &keys, &heads).await;
        let before = match operation {
            // What was to be mended may not be mended yet.
            Operation::Sign | Operation::Accept => report.findings.clone(),
            _ => Vec::new(),
        };
        assert_eq!(report.findings, before, "{when}");
        // The lock of the dead process is in the way; what that means is the lock's matter.
        lock(&survivor, Access::Exclusive)
            .await
            .release()
            .await
            .unwrap();
        run(operation, &survivor, source.path()).await.unwrap();
        assert_clean(
            &verify(&survivor, &keys, &heads).await,
            &format!("{when} and finished"),
        );
        // What it left is settled by the next run that writes, not carried along.
        let exclusive = lock(&survivor, Access::Exclusive).await;
        let next = crate::scene::snapshot(99);
        survivor.publish_snapshot(&next, &exclusive).await.unwrap();
        exclusive.release().await.unwrap();
        let names = crate::scene::files(&left).await;
        assert!(
            !names.iter().any(|name| name.starts_with("announced-")),
            "{when}: {names:?}"
        );
        assert_clean(&verify(&survivor, &keys, &heads).await, &when);
        if ended.is_ok() {
            return calls;
        }
        calls += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_is_no_tampering() {
    assert!(kill_after_every_call(Operation::Backup).await > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_forget_is_no_tampering() {
    assert!(kill_after_every_call(Operation::Forget).await > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_change_of_tags_is_no_tampering() {
    assert!(kill_after_every_call(Operation::Tag).await > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_signing_accepting_and_compacting_lose_nothing() {
    for operation in [Operation::Sign, Operation::Accept, Operation::Compact] {
        assert!(kill_after_every_call(operation).await > 10, "{operation:?}");
    }
}

/// A storage that says "stored" and has lost the statement: the announcement stands for it until the next run.
#[tokio::test]
async fn a_statement_that_the_storage_lost_makes_nobody_a_thief() {
    use strongroom_storage::Operation as Call;
    use strongroom_testkit::{Asked, Fault};

    let (scene, ids) = Scene::with(2).await;
    let is_statement = |asked: &Asked| asked.is(Call::Write, "strongroom/signatures/0");
    for removes in [false, true] {
        let left = scene.storage.fork();
        let faulty = FaultyStorage::nth(Arc::new(left.clone()), 0, is_statement, Fault::Lose);
        let repository = scene.over(faulty);
        let exclusive = lock(&repository, Access::Exclusive).await;
        let lost = match removes {
            true => repository.remove_snapshots(&ids[..1], &exclusive).await,
            false => {
                let next = crate::scene::snapshot(7);
                repository
                    .publish_snapshot(&next, &exclusive)
                    .await
                    .map(|_| ())
            }
        };
        assert!(lost.is_err());
        exclusive.release().await.unwrap();
        let survivor = scene.over(left.clone());
        let keys = [scene.key.verifying_key()];
        assert_clean(&verify(&survivor, &keys, &[]).await, "lost");
        publish(&survivor, 8).await;
        let report = verify(&survivor, &keys, &[]).await;
        assert_clean(&report, "settled");
        assert_eq!(report.present.len(), if removes { 2 } else { 4 });
        let names = crate::scene::files(&left).await;
        assert_eq!(names.len(), 3, "{names:?}");
    }
}
