//! Permissions of what is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use strongroom_storage::{LocalStorage, Storage};
use strongroom_testkit::Restic;

use super::write;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Read-only for its owner, and nothing for others, as restic has it.
#[tokio::test]
async fn files_are_private_and_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path().join("a/b"));
    storage.create().await.unwrap();
    write(&storage, "config", "x").await.unwrap();
    write(&storage, "data/ab/a", "x").await.unwrap();
    for folder in ["", "data", "data/ab"] {
        assert_eq!(mode(&storage.root().join(folder)), 0o700, "{folder}");
    }
    for file in ["config", "data/ab/a"] {
        assert_eq!(mode(&storage.root().join(file)), 0o400, "{file}");
    }
}

/// A repository of a group: what one member writes the others must be able to read. restic is the judge.
#[tokio::test]
async fn files_are_for_the_group_where_the_config_is() {
    for group in [0o400, 0o440, 0o444] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repository");
        let restic = Restic::new(&root, "secret");
        restic.init();
        fs::set_permissions(root.join("config"), fs::Permissions::from_mode(group)).unwrap();
        let source = folder.path().join("source");
        fs::write(&source, "content").unwrap();
        restic.run(["backup", source.to_str().unwrap()]).ok();
        let snapshot = fs::read_dir(root.join("snapshots"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();

        let storage = LocalStorage::new(&root);
        write(&storage, "strongroom/a", "x").await.unwrap();
        assert_eq!(
            mode(&root.join("strongroom/a")),
            mode(&snapshot.path()),
            "{group:o}"
        );
        let is_group = group & 0o040 != 0;
        assert_eq!(
            mode(&root.join("strongroom")) & 0o050 != 0,
            is_group,
            "{group:o}"
        );
    }
}
