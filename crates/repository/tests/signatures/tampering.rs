//! What somebody without the key does, and what is found.

use strongroom_repository::ErrorKind;
use strongroom_repository::progress::Silent;
use strongroom_repository::signature::{
    Link, SignatureAlgorithm, SignatureFindingKind as Kind, SigningKey,
};
use tokio_util::sync::CancellationToken;

use crate::scene::{
    FOLDER, Scene, accept, assert_clean, publish, remove, signed, snapshot_path, verify, words,
};

/// The newest backup deleted by whoever holds the storage.
#[tokio::test]
async fn a_snapshot_that_was_removed_without_the_key_is_missed() {
    let (scene, ids) = Scene::with(3).await;
    scene.delete(&snapshot_path(&ids[2])).await;
    let report = scene.verify().await;
    assert_eq!(words(&report), ["gone"]);
    let finding = &report.findings[0];
    assert_eq!(finding.kind, Kind::Gone { snapshot: ids[2] });
    // The others are what they were; only who wants the newest is concerned.
    assert!(!finding.concerns(&ids[1], false) && finding.concerns(&ids[1], true));
    assert!(report.signed.contains(&ids[1]));
    let vouch = report.vouches[&ids[1]];
    assert_eq!(vouch.key, scene.key.verifying_key().id());
    assert_eq!(vouch.time.to_string(), "2026-01-01T00:00:00Z");
}

/// restic's forget, or ours without the key: allowed by the password, not by the key.
#[tokio::test]
async fn forgetting_without_the_key_is_found_until_it_is_accepted() {
    let (scene, ids) = Scene::with(3).await;
    let kept = scene.read(&snapshot_path(&ids[0])).await;
    remove(&scene.plain, &ids[..2]).await;
    assert_eq!(scene.words().await, ["gone", "gone"]);
    // Signing something else does not make it right.
    publish(&scene.signed, 9).await;
    assert_eq!(scene.words().await, ["gone", "gone"]);
    accept(&scene.signed).await;
    assert_clean(&scene.verify().await, "accepted");
    // What was accepted as removed does not come back unnoticed.
    scene.put(&snapshot_path(&ids[0]), &kept).await;
    assert_eq!(scene.words().await, ["back"]);
}

/// An old state of the data passed off as one that its owner keeps.
#[tokio::test]
async fn a_removed_snapshot_that_is_put_back_is_found() {
    let (scene, ids) = Scene::with(2).await;
    let file = scene.read(&snapshot_path(&ids[0])).await;
    remove(&scene.signed, &ids[..1]).await;
    assert_clean(&scene.verify().await, "removed");
    scene.put(&snapshot_path(&ids[0]), &file).await;
    let report = scene.verify().await;
    assert_eq!(words(&report), ["back"]);
    assert!(report.findings[0].concerns(&ids[0], false));
    assert!(!report.signed.contains(&ids[0]));
    // Its owner can remove it again, or keep it.
    let kept = scene.storage.fork();
    remove(&scene.signed, &ids[..1]).await;
    assert_clean(&scene.verify().await, "removed again");
    let keeping = scene.over(kept);
    accept(&keeping).await;
    let report = verify(&keeping, &[scene.key.verifying_key()], &[]).await;
    assert_clean(&report, "kept");
    assert!(report.signed.contains(&ids[0]));
}

/// A thief of the password can write a snapshot that everything else takes for whole.
#[tokio::test]
async fn what_is_written_without_the_key_is_unsigned() {
    let (scene, ids) = Scene::with(1).await;
    let planted = publish(&scene.plain, 9).await;
    let report = scene.verify().await;
    assert_eq!(words(&report), ["unsigned"]);
    assert!(report.findings[0].concerns(&planted, false));
    assert!(!report.findings[0].concerns(&ids[0], true));
    assert_eq!(report.tampering().count(), 0);
    // To accept the state is not to sign what is in it.
    accept(&scene.signed).await;
    assert_eq!(scene.words().await, ["unsigned"]);
}

/// Without a link nobody can tell what it said.
#[tokio::test]
async fn a_statement_that_is_missing_between_others_is_a_gap() {
    let (scene, ids) = Scene::with(3).await;
    let second = scene.files().await.remove(1);
    scene.delete(&format!("{FOLDER}/{second}")).await;
    let report = scene.verify().await;
    assert_eq!(words(&report), ["gap", "unsigned"]);
    assert!(report.findings[0].concerns(&ids[0], true));
    accept(&scene.signed).await;
    assert_eq!(scene.words().await, ["unsigned"]);
}

/// The whole folder of the storage put back to last week: consistent in itself, so that only a memory outside of it helps.
#[tokio::test]
async fn an_earlier_state_is_found_by_who_remembers_a_later_one() {
    let (scene, ids) = Scene::with(2).await;
    let early = scene.storage.fork();
    let remembered_early = scene.verify().await.heads;
    publish(&scene.signed, 8).await;
    remove(&scene.signed, &ids[..1]).await;
    let keys = [scene.key.verifying_key()];
    let late = verify(&scene.plain, &keys, &remembered_early).await;
    assert_clean(&late, "a later state than the one remembered");
    let rolled = scene.over(early.clone());
    assert_clean(&verify(&rolled, &keys, &[]).await, "nobody remembers");
    let report = verify(&rolled, &keys, &late.heads).await;
    assert_eq!(words(&report), ["rolled_back"]);
    assert_eq!(
        report.findings[0].kind,
        Kind::RolledBack {
            missing: late.heads[0]
        }
    );
    assert!(report.findings[0].concerns(&ids[0], true));

    // A run that goes on from there says so, and does not make it good.
    let plain = scene.plain.with_storage(std::sync::Arc::new(early));
    let going_on = signed(&plain, &scene.key, &late.heads);
    for number in 20..24 {
        publish(&going_on, number).await;
    }
    assert_eq!(going_on.signer().unwrap().missing(), late.heads);
    let report = verify(&plain, &keys, &late.heads).await;
    assert_eq!(words(&report), ["rolled_back"]);
    accept(&going_on).await;
    assert_eq!(going_on.signer().unwrap().missing(), []);
    assert_clean(&verify(&plain, &keys, &late.heads).await, "accepted");
}

/// Whoever deletes all signatures leaves a repository that nobody has ever signed, except for those who remember.
#[tokio::test]
async fn a_chain_that_was_deleted_as_a_whole_is_unsigned() {
    let (scene, _) = Scene::with(2).await;
    let heads = scene.verify().await.heads;
    for file in scene.files().await {
        scene.delete(&format!("{FOLDER}/{file}")).await;
    }
    assert_eq!(scene.words().await, ["unsigned", "unsigned"]);
    let report = verify(&scene.plain, &[scene.key.verifying_key()], &heads).await;
    assert_eq!(words(&report), ["rolled_back", "unsigned", "unsigned"]);
    // The thief's own key does not help.
    let thief = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
    let theirs = signed(&scene.plain, &thief, &[]);
    publish(&theirs, 7).await;
    let report = scene.verify().await;
    assert!(words(&report).contains(&"no_known_key"));
    assert!(report.findings[0].concerns(&report.present.first().copied().unwrap(), false));
    assert!(report.signed.is_empty());
    let refused = scene
        .signed
        .plan_accept(&Silent, &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Signature);
}

/// A wrong public key must not pass for a repository without signatures.
#[tokio::test]
async fn the_wrong_key_is_said_to_be_wrong() {
    let (scene, _) = Scene::with(2).await;
    let wrong = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
    let report = verify(&scene.plain, &[wrong.verifying_key()], &[]).await;
    assert_eq!(words(&report), ["no_known_key", "unsigned", "unsigned"]);
    assert_eq!(report.tampering().count(), 1);
}

/// Announcements that somebody kept are no tickets to bring back what they announced.
#[tokio::test]
async fn an_old_announcement_means_nothing() {
    let (scene, ids) = Scene::with(1).await;
    // Killed before the statement: the announcement stays.
    let killed = scene.storage.fork();
    let other = scene.over(strongroom_testkit::FaultyStorage::every(
        std::sync::Arc::new(killed.clone()),
        |asked| asked.is(strongroom_storage::Operation::Write, &format!("{FOLDER}/0")),
        strongroom_testkit::Fault::Fail(
            strongroom_storage::ErrorKind::Unreachable,
            strongroom_storage::Retry::Never,
        ),
    ));
    let lock = crate::scene::lock(&other, strongroom_repository::lock::Access::Append).await;
    let planted = other
        .publish_snapshot(&crate::scene::snapshot(5), &lock)
        .await;
    assert!(planted.is_err());
    let names = crate::scene::files(&killed).await;
    let announced = names.iter().find(|name| name.starts_with("announced-"));
    let announced = format!("{FOLDER}/{}", announced.unwrap());
    let after = Scene {
        storage: killed.clone(),
        plain: scene
            .plain
            .with_storage(std::sync::Arc::new(killed.clone())),
        signed: scene.over(killed),
        key: scene.key.clone(),
    };
    let kept = after.read(&announced).await;
    let report = after.verify().await;
    assert_clean(&report, "killed before its statement");
    let snapshot = report.present.iter().find(|id| **id != ids[0]).copied();
    let path = snapshot_path(&snapshot.unwrap());
    let file = after.read(&path).await;
    // Settled, removed, and put back with its announcement.
    remove(&after.signed, &[snapshot.unwrap()]).await;
    assert_clean(&after.verify().await, "removed");
    after.put(&announced, &kept).await;
    assert_clean(&after.verify().await, "the announcement alone");
    after.put(&path, &file).await;
    assert_eq!(after.words().await, ["back"]);
    // Nor does whoever signs next take it for something that is to be settled.
    publish(&after.signed, 6).await;
    assert_eq!(after.words().await, ["back"]);
    crate::scene::accept(&after.signed).await;
    remove(&after.signed, &[snapshot.unwrap()]).await;
    crate::scene::compact(&after.signed).await;
    after.put(&announced, &kept).await;
    after.put(&path, &file).await;
    assert_eq!(after.words().await, ["back"]);
}

/// What is remembered is written down as text.
#[test]
fn a_link_keeps_its_text() {
    let link = Link {
        generation: 12,
        hash: strongroom_repository::format::Id::of(b"file"),
    };
    assert_eq!(link.to_string().parse::<Link>().unwrap(), link);
}
