//! One directory for us and for restic.

use std::fs;

use strongroom_storage::LocalStorage;
use strongroom_testkit::Restic;

use super::{names, write};

/// Our litter after a crash must not stop the other program that people restore with.
#[tokio::test]
async fn restic_works_beside_our_temporary_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("repository");
    let restic = Restic::new(&root, "secret");
    restic.init();
    let source = folder.path().join("source");
    fs::write(&source, "content").unwrap();
    restic.run(["backup", source.to_str().unwrap()]).ok();
    let storage = LocalStorage::new(&root);
    let before = names(&storage).await;

    for place in ["", "data", "data/ab", "index", "snapshots", "keys", "locks"] {
        fs::write(root.join(place).join("strongroom-0123.tmp~"), "half").unwrap();
    }
    assert_eq!(names(&storage).await, before);
    write(&storage, "strongroom/parity/a", "ours")
        .await
        .unwrap();

    restic.run(["backup", source.to_str().unwrap()]).ok();
    restic.run(["check", "--read-data"]).ok();
    restic.run(["forget", "--keep-last", "1", "--prune"]).ok();
    restic.run(["check", "--read-data"]).ok();
    let target = folder.path().join("target");
    restic
        .run(["restore", "latest", "--target", target.to_str().unwrap()])
        .ok();
    let restored = target.join(source.strip_prefix("/").unwrap());
    assert_eq!(fs::read(restored).unwrap(), b"content");
    assert!(
        names(&storage)
            .await
            .contains(&"strongroom/parity/a".to_owned())
    );
}
