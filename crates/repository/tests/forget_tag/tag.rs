use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::Repository;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::snapshots::{SnapshotFilter, select_all};
use strongroom_repository::tag::{TagChange, plan_tags};
use strongroom_storage::LocalStorage;
use strongroom_testkit::Restic;
use tokio_util::sync::CancellationToken;

use crate::scene::exclusive;

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
