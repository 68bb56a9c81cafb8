//! Temporary files: never seen, and removed once nobody can be writing to them.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use strongroom_storage::{ErrorKind, LocalStorage, Storage, StoragePath};

use super::{names, on_disk, write};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn leave(folder: &Path, name: &str, age: Duration) {
    let path = folder.join(name);
    fs::write(&path, "half a pack").unwrap();
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// A killed run leaves its temporary files; they must not be taken for packs, nor pile up.
#[tokio::test]
async fn litter_is_hidden_and_removed_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    write(&storage, "data/ab/a", "x").await.unwrap();
    let data = folder.path().join("data/ab");
    leave(&data, "strongroom-00.tmp~", 2 * DAY);
    leave(&data, "strongroom-01.tmp~", Duration::from_secs(60));
    leave(&data, "0123-tmp-456", 2 * DAY);
    assert_eq!(names(&storage).await, ["data/ab/a"]);
    assert_eq!(
        on_disk(&data).len(),
        4,
        "a process that only reads removes nothing"
    );

    write(&storage, "data/cd/b", "x").await.unwrap();
    let mut left: Vec<_> = on_disk(&data)
        .into_iter()
        .map(|path| path.strip_prefix(&data).unwrap().to_owned())
        .collect();
    left.sort();
    let kept = ["0123-tmp-456", "a", "strongroom-01.tmp~"].map(std::path::PathBuf::from);
    assert_eq!(left, kept, "what may be in use and what is restic's stays");
}

/// A check lists the packs and then only takes its lock away; nothing else may ever be written.
#[tokio::test]
async fn a_deletion_removes_litter_too() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    write(&storage, "locks/a", "x").await.unwrap();
    fs::create_dir_all(folder.path().join("data/ab")).unwrap();
    leave(
        &folder.path().join("data/ab"),
        "strongroom-00.tmp~",
        2 * DAY,
    );
    storage.list(None).await.unwrap();
    let lock = StoragePath::new("locks/a").unwrap();
    storage.delete(&lock).await.unwrap();
    assert!(on_disk(&folder.path().join("data")).is_empty());
}

/// A file of such a name would never be listed, so it must not be taken.
#[tokio::test]
async fn a_name_of_a_temporary_file_of_restic_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    let error = write(&storage, "data/ab/0123-tmp-456", "x")
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(on_disk(folder.path()).is_empty());
    write(&storage, "data/ab/0123-tmp-", "x").await.unwrap();
    assert_eq!(storage.list(None).await.unwrap().len(), 1);
}
