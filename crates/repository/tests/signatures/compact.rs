//! One statement in place of many.

use crate::scene::{
    FOLDER, Scene, assert_clean, compact, publish, remove, signed, snapshot_path, verify, words,
};

/// A chain that only grows makes every run slower.
#[tokio::test]
async fn one_statement_stands_for_all_before_it() {
    let (scene, ids) = Scene::with(4).await;
    remove(&scene.signed, &ids[..2]).await;
    let mut remembered = Vec::new();
    for number in 10..13 {
        remembered.extend(scene.verify().await.heads);
        publish(&scene.signed, number).await;
    }
    compact(&scene.signed).await;
    assert_eq!(scene.files().await.len(), 1);
    let keys = [scene.key.verifying_key()];
    // Whoever remembers something that is not there any more finds it stood for.
    let report = verify(&scene.plain, &keys, &remembered).await;
    assert_clean(&report, "compacted");
    assert_eq!(report.signed.len(), 5);
    // And once more on top, so that a checkpoint stands for a checkpoint.
    publish(&scene.signed, 20).await;
    compact(&scene.signed).await;
    assert_eq!(scene.files().await.len(), 1);
    let report = verify(&scene.plain, &keys, &remembered).await;
    assert_clean(&report, "compacted twice");
    assert_eq!(report.signed.len(), 6);
}

/// What a checkpoint stands for cannot be put back to bring an old state with it.
#[tokio::test]
async fn statements_of_the_past_mean_nothing_behind_a_checkpoint() {
    let (scene, ids) = Scene::with(2).await;
    let snapshot = scene.read(&snapshot_path(&ids[0])).await;
    let mut kept = Vec::new();
    for name in scene.files().await {
        let path = format!("{FOLDER}/{name}");
        kept.push((path.clone(), scene.read(&path).await));
    }
    remove(&scene.signed, &ids[..1]).await;
    compact(&scene.signed).await;
    for (path, content) in &kept {
        scene.put(path, content).await;
    }
    let report = scene.verify().await;
    assert_clean(&report, "old statements");
    assert_eq!((report.statements, report.heads.len()), (1, 1));
    scene.put(&snapshot_path(&ids[0]), &snapshot).await;
    assert_eq!(scene.words().await, ["back"]);
}

/// Somebody hides the last runs from a machine that then signs on and compacts: the longer chain is not the same one.
#[tokio::test]
async fn another_line_is_not_hidden_by_a_checkpoint() {
    let (scene, _) = Scene::with(2).await;
    let early = scene.storage.fork();
    publish(&scene.signed, 5).await;
    let seen = scene.verify().await.heads;
    let plain = scene.plain.with_storage(std::sync::Arc::new(early));
    let elsewhere = signed(&plain, &scene.key, &[]);
    for number in 6..10 {
        publish(&elsewhere, number).await;
    }
    compact(&elsewhere).await;
    let report = verify(&plain, &[scene.key.verifying_key()], &seen).await;
    assert_eq!(words(&report), ["rolled_back"]);
}

/// A chain that is short is left alone.
#[tokio::test]
async fn there_is_nothing_to_compact_in_one_statement() {
    use strongroom_repository::progress::Silent;
    use tokio_util::sync::CancellationToken;

    let (scene, _) = Scene::with(1).await;
    let cancel = CancellationToken::new();
    let plan = scene.signed.plan_compact(&Silent, &cancel).await.unwrap();
    assert!(plan.is_nothing());
    publish(&scene.signed, 2).await;
    let plan = scene.signed.plan_compact(&Silent, &cancel).await.unwrap();
    assert!(!plan.is_nothing());
    assert_eq!((plan.statements, plan.files), (2, 2));
}
