use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{OpenOptions, SnapshotFile};
use strongroom_repository::snapshots::{SnapshotFilter, select_all};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{LocalStorage, MemoryStorage, Storage};
use strongroom_testkit::engine::{new_repository, open_repository};
use strongroom_testkit::{FaultyStorage, Restic};
use tokio_util::sync::CancellationToken;

use crate::scene::{exclusive, snapshot};

/// Killed after any call, every snapshot is there in its old or its new form, or both.
#[tokio::test]
async fn an_interrupted_change_of_tags_loses_no_snapshot() {
    let mut finished = false;
    for calls in 0..40 {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let repository = new_repository(Arc::clone(&storage)).await;
        for day in 1..=3 {
            let json = snapshot(day, "ada", &[]).encode();
            repository
                .save_file(FileKind::Snapshot, json)
                .await
                .unwrap();
        }
        let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
            .await
            .unwrap();
        let plan = plan_tags(all, &TagChange::Set(vec!["new".into()])).unwrap();
        let lock = exclusive(&repository).await;
        let dying = repository.with_storage(Arc::new(FaultyStorage::stops_after(
            Arc::clone(&storage),
            calls,
        )));
        let cancel = CancellationToken::new();
        finished = plan.execute(&dying, &lock, &Silent, &cancel).await.is_ok();
        let survivors = open_repository(storage).await;
        let (left, unreadable) = select_all(&survivors, &SnapshotFilter::default(), &Silent)
            .await
            .unwrap();
        assert!(unreadable.is_empty());
        for change in &plan.changes {
            let is_there =
                |file: &SnapshotFile| file.id == change.old.id || file.snapshot == change.new;
            assert!(left.iter().any(is_there), "after {calls} calls");
        }
        if finished {
            assert!(left.iter().all(|file| file.snapshot.tags == ["new"]) && left.len() == 3);
            break;
        }
    }
    assert!(finished);
}

#[tokio::test]
async fn tags_are_those_that_restic_would_have_written() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    let restic = Restic::new(&ours, "try-me");
    restic.init();
    fs_tree(dir.path());
    restic.backup_with(["--tag", "a,b"], &[&dir.path().join("tree")]);
    restic.backup_with(["--tag", "c"], &[&dir.path().join("tree")]);
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&ours, &theirs])
        .status();
    assert!(copied.unwrap().success());
    let other = Restic::new(&theirs, "try-me");
    other.run(["tag", "--add", "d", "--remove", "a"]).ok();

    let password = SecretString::from("try-me");
    let storage = Arc::new(LocalStorage::new(&ours));
    let repository = Repository::open(storage, &password, &OpenOptions::default())
        .await
        .unwrap();
    let (all, _) = select_all(&repository, &SnapshotFilter::default(), &Silent)
        .await
        .unwrap();
    let change = TagChange::Edit {
        add: vec!["d".into()],
        remove: vec!["a".into()],
    };
    let lock = exclusive(&repository).await;
    let plan = plan_tags(all, &change).unwrap();
    plan.execute(&repository, &lock, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    lock.release().await.unwrap();
    let told = |restic: &Restic| {
        let mut told = restic.snapshots();
        for snapshot in &mut told {
            let fields = snapshot.as_object_mut().unwrap();
            // The name is the hash of the encrypted file, and so random.
            fields.retain(|name, _| name != "id" && name != "short_id");
            let tags = fields["tags"].as_array_mut().unwrap();
            tags.sort_by_key(ToString::to_string);
        }
        told
    };
    assert_eq!(told(&restic), told(&other));
    assert_eq!(told(&restic)[0]["tags"], serde_json::json!(["b", "d"]));
    restic.check_read_data();
}

fn fs_tree(dir: &std::path::Path) {
    std::fs::create_dir(dir.join("tree")).unwrap();
    std::fs::write(dir.join("tree/file"), b"content").unwrap();
}
