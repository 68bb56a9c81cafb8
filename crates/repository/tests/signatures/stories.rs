//! T-39 and T-40: objects in each other's place, states of the past, and copies.

use std::sync::Arc;

use strongroom_repository::check::{CheckOptions, CheckReport, FindingKind, ReadData};
use strongroom_repository::format::Id;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{Class, MemoryStorage, StoragePath};
use strongroom_testkit::engine::{FakeClock, FakeHost};
use strongroom_testkit::{engine, engine_backup};
use tokio_util::sync::CancellationToken;

use crate::scene::{
    FOLDER, Scene, assert_clean, publish, remove, signed, snapshot_path, verify, words,
};

async fn check(repository: &Repository) -> CheckReport {
    let options = CheckOptions {
        read_data: ReadData::All,
        paths_max: 10,
        locks: FakeHost::new("here", 1).lock_options(&FakeClock::new()),
    };
    repository
        .check(&options, &Silent, &CancellationToken::new())
        .await
        .unwrap()
}

/// A scene with two real backups.
async fn backed_up() -> (Scene, Vec<Id>) {
    let scene = Scene::new().await;
    let source = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        std::fs::write(source.path().join("file"), text).unwrap();
        let report = engine_backup::backup(&scene.signed, source.path(), None).await;
        ids.push(report.snapshot_id.unwrap());
    }
    assert!(check(&scene.plain).await.is_sound());
    assert_clean(&scene.verify().await, "backed up");
    (scene, ids)
}

async fn paths(repository: &Repository, kind: FileKind) -> Vec<String> {
    let files = repository.list(kind).await.unwrap();
    let path = |id: &Id| kind.path(id).unwrap().as_str().to_owned();
    let mut paths: Vec<String> = files.iter().map(|file| path(&file.id)).collect();
    paths.sort();
    paths
}

/// Each object under the name of each other: found without signatures, since a file's name is the hash of its content
/// and a blob's name the hash of its own.
#[tokio::test(flavor = "multi_thread")]
async fn t39_no_object_passes_for_another() {
    let (scene, _) = backed_up().await;
    let mut objects = Vec::new();
    for kind in [FileKind::Pack, FileKind::Index, FileKind::Snapshot] {
        objects.extend(paths(&scene.plain, kind).await);
    }
    let plain = |storage: &MemoryStorage| scene.plain.with_storage(Arc::new(storage.clone()));
    let mut swapped = 0;
    for from in &objects {
        for to in objects.iter().filter(|to| *to != from) {
            let left = scene.storage.fork();
            let place = Scene {
                storage: left.clone(),
                plain: plain(&left),
                signed: scene.over(left),
                key: scene.key.clone(),
            };
            place.put(to, &scene.read(from).await).await;
            let report = check(&place.plain).await;
            assert!(!report.is_sound(), "{from} under the name {to}");
            swapped += 1;
        }
    }
    assert!(swapped >= 30, "{swapped}");
}

/// An index among the snapshots under its own hash is a file with the right name and MAC: found without signatures as
/// what is no snapshot, and with them as what nobody has published.
#[tokio::test(flavor = "multi_thread")]
async fn t39_an_index_is_no_snapshot() {
    let (scene, _) = backed_up().await;
    let index = paths(&scene.plain, FileKind::Index).await.remove(0);
    let id = index.rsplit('/').next().unwrap().parse().unwrap();
    scene
        .put(&snapshot_path(&id), &scene.read(&index).await)
        .await;
    let report = check(&scene.plain).await;
    let kinds: Vec<&FindingKind> = report.errors.iter().map(|found| &found.kind).collect();
    assert_eq!(kinds, [&FindingKind::Snapshot { snapshot: id }]);
    let error = scene.plain.load_snapshot(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(scene.words().await, ["unsigned"]);
}

/// A snapshot of another repository with the same password: found without signatures, by the MAC of the other master key.
#[tokio::test(flavor = "multi_thread")]
async fn t39_a_snapshot_of_another_repository_is_none_of_ours() {
    let (scene, _) = backed_up().await;
    let (other, ids) = backed_up().await;
    let path = snapshot_path(&ids[0]);
    scene.put(&path, &other.read(&path).await).await;
    let report = check(&scene.plain).await;
    assert_eq!(report.errors.len(), 1);
    assert_eq!(
        report.errors[0].kind,
        FindingKind::Snapshot { snapshot: ids[0] }
    );
    assert_eq!(scene.words().await, ["unsigned"]);
}

/// A statement of another repository, signed with the same key: it names the repository that it was made for.
#[tokio::test]
async fn t39_a_statement_of_another_repository_is_none_of_ours() {
    let (scene, _) = Scene::with(1).await;
    let other = engine::new_repository(Arc::new(MemoryStorage::new())).await;
    let theirs = signed(&other, &scene.key, &[]);
    publish(&theirs, 3).await;
    let files = other.list_own(strongroom_repository::own_files::OwnFolder::Signatures);
    let file = files.await.unwrap().remove(0).name;
    let path = StoragePath::new(format!("{FOLDER}/{file}")).unwrap();
    let content = other.storage().read(&path, None, Class::Metadata).await;
    scene.put(path.as_str(), &content.unwrap()).await;
    let report = scene.verify().await;
    assert_eq!(words(&report), ["other_repository"]);
    assert_eq!(report.tampering().count(), 1);
}

/// The newest snapshot taken away and a forgotten one put back, each file whole and the prune not yet run: nothing is
/// damaged, so only the signatures tell.
#[tokio::test(flavor = "multi_thread")]
async fn t39_an_old_list_of_snapshots_is_found_with_signatures() {
    let (scene, ids) = backed_up().await;
    let first = scene.read(&snapshot_path(&ids[0])).await;
    remove(&scene.signed, &ids[..1]).await;
    scene.put(&snapshot_path(&ids[0]), &first).await;
    scene.delete(&snapshot_path(&ids[1])).await;
    assert!(check(&scene.plain).await.is_sound());
    assert_eq!(scene.words().await, ["back", "gone"]);
}

/// The index files of last week: found without signatures, as blobs that no index has.
#[tokio::test(flavor = "multi_thread")]
async fn t39_an_old_index_is_found_without_signatures() {
    let (scene, ids) = backed_up().await;
    let indexes = paths(&scene.plain, FileKind::Index).await;
    assert_eq!(indexes.len(), 2);
    let mut seen = 0;
    for index in &indexes {
        let kept = scene.read(index).await;
        scene.delete(index).await;
        let report = check(&scene.plain).await;
        let is_tree = |kind: &FindingKind| matches!(kind, FindingKind::Tree { .. });
        assert!(report.errors.iter().any(|found| is_tree(&found.kind)));
        assert_eq!(report.affected.len(), 1);
        assert!(ids.contains(&report.affected[0].snapshot));
        seen += 1;
        scene.put(index, &kept).await;
    }
    assert_eq!(seen, 2);
    assert!(check(&scene.plain).await.is_sound());
}

/// One repository copied as files, and both copies written to. Each is sound, each is signed with the same key; whoever
/// has seen the one is told that the other has gone another way. Nothing is encrypted twice under one nonce, since every
/// nonce is random: so both can be read and nobody learns more from having both.
#[tokio::test(flavor = "multi_thread")]
async fn t40_a_copy_that_goes_another_way_is_noticed_by_who_knows_the_first() {
    let (scene, ids) = backed_up().await;
    let copy = scene.storage.fork();
    let keys = [scene.key.verifying_key()];
    publish(&scene.signed, 1).await;
    let copied = scene.over(copy.clone());
    publish(&copied, 1).await;
    let (here, there) = (
        verify(&scene.plain, &keys, &[]).await,
        verify(&copied, &keys, &[]).await,
    );
    assert_clean(&here, "the first");
    assert_clean(&there, "the copy");
    // The same snapshot in both, and yet not the same bytes.
    let new = |present: &std::collections::BTreeSet<Id>| -> Vec<Id> {
        present
            .iter()
            .filter(|id| !ids.contains(id))
            .copied()
            .collect()
    };
    assert_ne!(new(&here.present), new(&there.present));
    let report = verify(&copied, &keys, &here.heads).await;
    assert_eq!(words(&report), ["rolled_back"]);
    let report = verify(&scene.plain, &keys, &there.heads).await;
    assert_eq!(words(&report), ["rolled_back"]);
    for repository in [&scene.plain, &copied] {
        let lock = crate::scene::lock(repository, Access::Read).await;
        assert_eq!(repository.load_snapshots(&Silent).await.unwrap().len(), 3);
        lock.release().await.unwrap();
    }
}
