//! A storage written out into a directory, for the real restic to look at.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use strongroom_storage::{Class, LocalStorage, Storage, WriteMode};
use tempfile::TempDir;

use crate::Restic;
use crate::engine::PASSWORD;

/// Writes all files of a storage into a new directory, with the folders that restic expects, and opens it with
/// [`PASSWORD`]. The directory goes with the first of the two values.
pub async fn on_disk(storage: &dyn Storage) -> (TempDir, Restic) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("repository");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    for folder in ["data", "index", "keys", "locks", "snapshots"] {
        fs::create_dir(path.join(folder)).unwrap();
    }
    copy_files(storage, &LocalStorage::new(&path)).await;
    let restic = Restic::new(&path, PASSWORD);
    (dir, restic)
}

/// Writes all files of a storage into another one.
pub async fn copy_files(from: &dyn Storage, to: &dyn Storage) {
    for file in from.list(None).await.unwrap() {
        let content = from.read(&file.path, None, Class::Data).await.unwrap();
        let write = to.write(&file.path, content, WriteMode::Replace, Class::Data);
        write.await.unwrap();
    }
}
