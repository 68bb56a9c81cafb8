//! What is written, in which order, and what a storage has to hold for it.

use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::format::SignedStatement;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::signature::{SignatureAlgorithm, SigningKey};
use strongroom_storage::Operation;
use strongroom_testkit::{Asked, Fault, FaultyStorage, RecordingStorage, ResticLayoutStorage};
use tokio_util::sync::CancellationToken;

use crate::scene::{
    FOLDER, Scene, assert_clean, lock, publish, remove, sign_all, signed, signed_beside, try_lock,
    verify, words,
};

/// Writes and deletions of snapshots and signatures, in order, by what they do.
fn changes(recording: &RecordingStorage) -> Vec<&'static str> {
    let calls = recording.take().into_iter();
    let named = calls.filter_map(|call| {
        let path = call.path.as_ref()?.as_str();
        let is_write = call.operation == Operation::Write;
        if !is_write && call.operation != Operation::Delete {
            return None;
        }
        match (is_write, path) {
            (true, path) if path.starts_with("snapshots") => Some("snapshot"),
            (false, path) if path.starts_with("snapshots") => Some("no snapshot"),
            (true, path) if path.contains("/announced-") => Some("announcement"),
            (false, path) if path.contains("/announced-") => Some("no announcement"),
            (true, path) if path.starts_with(FOLDER) => Some("statement"),
            (false, path) if path.starts_with(FOLDER) => Some("no statement"),
            _ => None,
        }
    });
    named.collect()
}

/// A snapshot without any statement would be unsigned, and a statement without its snapshot would look like theft, if the
/// run was killed in between.
#[tokio::test]
async fn what_will_happen_is_announced_and_stated_when_it_has_happened() {
    let scene = Scene::new().await;
    let recording = RecordingStorage::new(Arc::new(scene.storage.clone()));
    let repository = scene.over(recording.clone());
    let first = publish(&repository, 1).await;
    let expected = ["announcement", "snapshot", "statement", "no announcement"];
    assert_eq!(changes(&recording), expected);
    remove(&repository, &[first]).await;
    let expected = [
        "announcement",
        "no snapshot",
        "statement",
        "no announcement",
    ];
    assert_eq!(changes(&recording), expected);
    assert_clean(&scene.verify().await, "in the end");
    assert_eq!(scene.files().await.len(), 2);
}

/// A chain of a thousand runs must not make each run read a thousand files twice.
#[tokio::test]
async fn one_run_reads_each_statement_once() {
    let (scene, _) = Scene::with(5).await;
    let recording = RecordingStorage::new(Arc::new(scene.storage.clone()));
    let repository = scene.over(recording.clone());
    publish(&repository, 6).await;
    // And its own, to see that it is there.
    assert_eq!(recording.count(Operation::Read, FOLDER), 6);
    publish(&repository, 7).await;
    // The one of before, and its own again.
    assert_eq!(recording.count(Operation::Read, FOLDER), 8);
}

/// Two machines that back up at the same time: a fork is no tampering, and the next run joins it.
#[tokio::test]
async fn two_runs_at_once_make_two_heads_and_the_next_one_joins_them() {
    let (scene, _) = Scene::with(1).await;
    let before = scene.storage.fork();
    publish(&scene.signed, 2).await;
    // The other run has looked before the first one wrote.
    let other = scene.over(before.clone());
    publish(&other, 3).await;
    for path in ["snapshots", FOLDER] {
        let folder = strongroom_storage::StoragePath::new(path).unwrap();
        let storage: &dyn strongroom_storage::Storage = &before;
        for file in storage.list(Some(&folder)).await.unwrap() {
            let read = storage
                .read(&file.path, None, strongroom_storage::Class::Metadata)
                .await
                .unwrap();
            scene.put(file.path.as_str(), &read).await;
        }
    }
    let report = scene.verify().await;
    assert_clean(&report, "two heads");
    assert_eq!((report.heads.len(), report.statements), (2, 3));
    publish(&scene.over(scene.storage.clone()), 4).await;
    let joined = scene.verify().await;
    assert_clean(&joined, "joined");
    assert_eq!((joined.heads.len(), joined.heads[0].generation), (1, 3));
    // Whoever remembers either of the two finds it below.
    let keys = [scene.key.verifying_key()];
    assert_clean(
        &verify(&scene.plain, &keys, &report.heads).await,
        "remembered",
    );
}

/// What a backup has uploaded when it learns that it cannot be signed was uploaded for nothing.
#[tokio::test]
async fn a_storage_that_cannot_hold_signatures_is_refused_before_anything_is_changed() {
    let scene = Scene::new().await;
    let recording = RecordingStorage::new(Arc::new(scene.storage.clone()));
    let repository = scene.over(ResticLayoutStorage::new(Arc::new(recording.clone())));
    for access in [Access::Append, Access::Exclusive] {
        let refused = try_lock(&repository, access).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }
    assert_eq!(recording.calls(), []);
    // Reading goes on.
    let lock = try_lock(&repository, Access::Read).await.unwrap();
    lock.release().await.unwrap();
    // Without a key nothing is different there.
    let unsigned = scene
        .plain
        .with_storage(Arc::new(ResticLayoutStorage::new(Arc::new(
            scene.storage.clone(),
        ))));
    publish(&unsigned, 1).await;
    let report = verify(&unsigned, &[scene.key.verifying_key()], &[]).await;
    assert_eq!(words(&report), ["unsigned"]);
}

/// Snapshots of the time before the key, or of restic.
#[tokio::test]
async fn what_was_there_before_can_be_signed() {
    let scene = Scene::new().await;
    let first = publish(&scene.plain, 1).await;
    let second = publish(&scene.plain, 2).await;
    assert_eq!(scene.words().await, ["unsigned", "unsigned"]);
    let cancel = CancellationToken::new();
    let wanted = [first];
    let plan = scene.signed.plan_sign(&wanted, &Silent, &cancel);
    let plan = plan.await.unwrap();
    assert_eq!(plan.snapshots.len(), 1);
    let append = lock(&scene.signed, Access::Append).await;
    plan.execute(&scene.signed, &append).await.unwrap();
    let report = scene.verify().await;
    assert!(report.signed.contains(&first) && !report.signed.contains(&second));
    // A plan of what is gone is out of date.
    let plan = scene.signed.plan_sign(&[], &Silent, &cancel).await.unwrap();
    scene
        .plain
        .remove_snapshots(&[second], &append)
        .await
        .unwrap();
    let refused = plan.execute(&scene.signed, &append).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    append.release().await.unwrap();
    sign_all(&scene.signed).await;
    assert_clean(&scene.verify().await, "signed");
    let without = scene.plain.plan_sign(&[], &Silent, &cancel).await;
    assert_eq!(without.unwrap_err().kind(), ErrorKind::Invalid);
}

/// Two machines with a key each: each believes the other where it was given the other's key.
#[tokio::test]
async fn several_keys_sign_one_chain() {
    let (scene, ids) = Scene::with(2).await;
    let hmac = SigningKey::generate(SignatureAlgorithm::HmacSha256).unwrap();
    let other = signed_beside(&scene.plain, &hmac, vec![scene.key.verifying_key()], &[]);
    publish(&other, 9).await;
    remove(&other, &ids[..1]).await;
    let both = [scene.key.verifying_key(), hmac.verifying_key()];
    let report = verify(&scene.plain, &both, &[]).await;
    assert_clean(&report, "both keys");
    assert_eq!((report.heads.len(), report.statements), (1, 4));
    // One who does not know the other tells so, in place of mixing the chains up.
    let alone = signed(&scene.plain, &scene.key, &[]);
    publish(&alone, 10).await;
    assert_eq!(
        alone.signer().unwrap().unknown_keys(),
        [hmac.verifying_key().id()]
    );
    let told = verify(&scene.plain, &both[..1], &[]).await;
    assert_eq!(words(&told), ["gone", "unknown_key", "unsigned"]);
}

/// A verifier that looks while a backup publishes must not cry thief.
#[tokio::test]
async fn what_changes_while_it_is_read_is_read_again() {
    let (scene, _) = Scene::with(2).await;
    let is_list = |asked: &Asked| asked.is(Operation::List, FOLDER);
    // The first listing shows the state before anything was signed.
    let stale = FaultyStorage::nth(Arc::new(scene.storage.clone()), 0, is_list, Fault::Lose);
    let repository = scene.plain.with_storage(Arc::new(stale));
    let report = verify(&repository, &[scene.key.verifying_key()], &[]).await;
    assert_clean(&report, "read again");
}

/// A statement shows when it was made, with which key, and nothing of what is in the snapshots.
#[tokio::test]
async fn a_statement_says_what_it_says() {
    let (scene, ids) = Scene::with(1).await;
    let name = scene.files().await.remove(0);
    let stored = scene.read(&format!("{FOLDER}/{name}")).await;
    let text = String::from_utf8(stored.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (repository, key) = (scene.plain.config().id, scene.key.verifying_key().id());
    assert_eq!(lines[0], "strongroom signatures 1");
    assert_eq!(lines[1], "kind statement");
    assert_eq!(lines[2], format!("repository {repository}"));
    assert_eq!(lines[3], "generation 1");
    assert_eq!(lines[4], "time 2026-01-01T00:00:00Z");
    assert_eq!(lines[5], format!("key ed25519 {key}"));
    assert_eq!(lines[6], format!("published {}", ids[0]));
    assert!(lines[7].starts_with("signature ") && lines.len() == 8);
    assert_eq!(
        SignedStatement::decode(&stored).unwrap().name().to_string(),
        name
    );
}

/// A change of tags must not make a planted snapshot pass for one of the owner's.
#[tokio::test]
async fn what_is_made_of_an_unsigned_snapshot_is_unsigned() {
    let (scene, ids) = Scene::with(1).await;
    let planted = publish(&scene.plain, 9).await;
    let trusted = scene.signed.trusted_snapshots(&[ids[0], planted]).await;
    assert_eq!(trusted.unwrap(), ids.iter().copied().collect());
    let all = scene.plain.trusted_snapshots(&[ids[0], planted]).await;
    assert_eq!(all.unwrap().len(), 2);
    let exclusive = lock(&scene.signed, Access::Exclusive).await;
    let mut changed = crate::scene::snapshot(9);
    changed.tags = vec!["kept".into()];
    let signed = &scene.signed;
    let new = signed.replace_snapshot(&planted, &changed, &exclusive);
    let new = new.await.unwrap();
    let ours = signed.replace_snapshot(&ids[0], &changed, &exclusive);
    let ours = ours.await.unwrap();
    exclusive.release().await.unwrap();
    let report = scene.verify().await;
    assert_eq!(words(&report), ["unsigned"]);
    assert_eq!(report.findings[0].snapshot(), Some(new));
    assert!(report.signed.contains(&ours));
}

/// What comes out of the trash is what went in, and signed again.
#[tokio::test]
async fn a_snapshot_that_is_brought_back_is_signed_again() {
    let (scene, ids) = Scene::with(2).await;
    let stored = scene.read(&crate::scene::snapshot_path(&ids[0])).await;
    remove(&scene.signed, &ids[..1]).await;
    let append = lock(&scene.signed, Access::Append).await;
    let back = scene.signed.publish_stored_snapshot(stored.into(), &append);
    assert_eq!(back.await.unwrap(), ids[0]);
    append.release().await.unwrap();
    assert_clean(&scene.verify().await, "brought back");
}
