//! Statements that are not what was written.

use strongroom_repository::ErrorKind;
use strongroom_repository::check::Severity;
use strongroom_repository::format::STATEMENT_MAX_BYTES;
use strongroom_repository::progress::Silent;
use tokio_util::sync::CancellationToken;

use crate::scene::{FOLDER, Scene, accept, assert_clean, compact, publish};

/// A statement that can be changed without notice says whatever somebody wants.
#[tokio::test]
async fn every_altered_byte_and_every_cut_is_found() {
    let (scene, ids) = Scene::with(1).await;
    let path = format!("{FOLDER}/{}", scene.files().await[0]);
    let whole = scene.read(&path).await;
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] ^= 1;
        damaged.push(altered);
    }
    for content in damaged {
        scene.put(&path, &content).await;
        let report = scene.verify().await;
        let text = String::from_utf8_lossy(&content);
        let first = &report.findings[0];
        assert!(!report.signed.contains(&ids[0]), "{text}");
        assert_eq!(first.severity(), Severity::Error, "{text}");
    }
    scene.put(&path, &whole).await;
    assert_clean(&scene.verify().await, "whole again");
}

/// A statement under a later name would bring back the state that it speaks of.
#[tokio::test]
async fn a_copy_under_another_name_is_no_statement() {
    let (scene, _) = Scene::with(2).await;
    let files = scene.files().await;
    let first = scene.read(&format!("{FOLDER}/{}", files[0])).await;
    let later = files[0].replace("0000000001", "0000000009");
    scene.put(&format!("{FOLDER}/{later}"), &first).await;
    scene
        .put(&format!("{FOLDER}/announced-{}", files[0]), &first)
        .await;
    assert_eq!(scene.words().await, ["unreadable", "unreadable"]);
}

/// A file of gigabytes must cost neither memory nor the backup.
#[tokio::test]
async fn what_is_too_long_or_no_statement_is_named_and_passed_over() {
    let (scene, _) = Scene::with(1).await;
    let huge = vec![b'x'; usize::try_from(STATEMENT_MAX_BYTES).unwrap() + 1];
    scene.put(&format!("{FOLDER}/huge"), &huge).await;
    scene.put(&format!("{FOLDER}/deep/er"), b"").await;
    scene
        .put(&format!("{FOLDER}/later"), b"strongroom signatures 2\n")
        .await;
    let report = scene.verify().await;
    let files: Vec<&str> = report.findings.iter().filter_map(|f| f.file()).collect();
    assert_eq!(files, ["deep/er", "huge", "later"]);
    publish(&scene.signed, 5).await;
    // Nothing is deleted by who meets it, nor signed over.
    assert_eq!(scene.words().await, ["unreadable"; 3]);
    let cancel = CancellationToken::new();
    for refused in [
        scene.signed.plan_sign(&[], &Silent, &cancel).await.err(),
        scene.signed.plan_compact(&Silent, &cancel).await.err(),
    ] {
        assert_eq!(refused.unwrap().kind(), ErrorKind::Signature);
    }
    assert_eq!(scene.files().await.len(), 5);
    accept(&scene.signed).await;
    assert_clean(&scene.verify().await, "accepted");
    assert_eq!(scene.files().await.len(), 1);
}

/// A checkpoint that did not arrive must not cost the statements that it stands for.
#[tokio::test]
async fn a_checkpoint_that_was_lost_removes_nothing() {
    use std::sync::Arc;
    use strongroom_storage::Operation;
    use strongroom_testkit::{Fault, FaultyStorage};

    let (scene, _) = Scene::with(3).await;
    for fault in [Fault::Lose, Fault::Truncate(100), Fault::Flip(300)] {
        let left = scene.storage.fork();
        let is_checkpoint = |asked: &strongroom_testkit::Asked| {
            asked.is(Operation::Write, &format!("{FOLDER}/0000000004"))
        };
        let faulty = FaultyStorage::nth(Arc::new(left.clone()), 0, is_checkpoint, fault);
        let repository = scene.over(faulty);
        let cancel = CancellationToken::new();
        let lock = crate::scene::lock(&repository, strongroom_repository::lock::Access::Exclusive);
        let lock = lock.await;
        let plan = repository.plan_compact(&Silent, &cancel).await.unwrap();
        assert!(plan.execute(&repository, &lock).await.is_err(), "{fault:?}");
        let names = crate::scene::files(&left).await;
        let old = names.iter().filter(|name| !name.starts_with("0000000004"));
        assert_eq!(old.count(), 3, "{fault:?}");
    }
    compact(&scene.signed).await;
    assert_clean(&scene.verify().await, "compacted");
}

/// Somebody without the key writes a statement of their own, with its right name and in its right form.
#[tokio::test]
async fn a_forged_statement_has_a_wrong_signature() {
    use strongroom_repository::format::{SignedStatement, StatementKind};

    let (scene, ids) = Scene::with(2).await;
    let files = scene.files().await;
    let last = scene.read(&format!("{FOLDER}/{}", files[1])).await;
    let genuine = SignedStatement::decode(&last).unwrap();
    let planted = publish(&scene.plain, 9).await;
    let forge = |change: &dyn Fn(&mut SignedStatement)| {
        let mut forged = genuine.clone();
        change(&mut forged);
        forged
    };
    for forged in [
        forge(&|forged| _ = forged.statement.published.insert(planted)),
        forge(&|forged| {
            forged.statement.generation = 9;
            forged.statement.removed.insert(ids[0]);
        }),
        forge(&|forged| forged.statement.kind = StatementKind::Checkpoint),
        forge(&|forged| {
            forged.statement.kind = StatementKind::Announcement;
            forged.statement.published.insert(planted);
        }),
        forge(&|forged| forged.signature = vec![0; 64]),
        forge(&|forged| forged.signature.truncate(63)),
        forge(&|forged| forged.signature.clear()),
    ] {
        let path = format!("{FOLDER}/{}", forged.name());
        scene.put(&path, &forged.encode()).await;
        assert_eq!(scene.words().await, ["wrong_signature", "unsigned"]);
        scene.delete(&path).await;
    }
    assert_eq!(scene.words().await, ["unsigned"]);
}
