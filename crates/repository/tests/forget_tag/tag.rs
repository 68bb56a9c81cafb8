use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::Repository;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::snapshots::{SnapshotFilter, select_all};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_repository::{ErrorKind, FileKind};
use strongroom_storage::{LocalStorage, MemoryStorage};
use strongroom_testkit::Restic;
use strongroom_testkit::engine::new_repository;
use tokio_util::sync::CancellationToken;

use crate::scene::{exclusive, ids, snapshot};

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

/// An older program beside a newer one: what it does not understand it leaves as it is.
#[tokio::test]
async fn t38_a_snapshot_with_fields_of_a_newer_program_is_not_rewritten() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let json = String::from_utf8(snapshot(1, "ada", &[]).encode()).unwrap();
    let newer = json.replacen('{', r#"{"delete_protection":"2027-01-01","#, 1);
    let id = repository
        .save_file(FileKind::Snapshot, newer.clone().into_bytes())
        .await
        .unwrap();
    let stored = repository.load_snapshots(&Silent).await.unwrap();
    let plan = plan_tags(stored, &TagChange::Set(vec!["x".into()])).unwrap();
    let lock = exclusive(&repository).await;
    let cancel = CancellationToken::new();
    let error = plan
        .execute(&repository, &lock, &Silent, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error}");
    assert!(error.to_string().contains("delete_protection"), "{error}");
    assert_eq!(ids(&repository).await, [id]);
    assert_eq!(
        repository.load_file(FileKind::Snapshot, &id).await.unwrap(),
        newer.as_bytes()
    );
}
