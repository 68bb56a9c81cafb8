//! A directory as a storage on real file systems: full, read-only, closed, linked, shared with restic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod links;
mod permissions;
mod shared;
mod temporary;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use strongroom_storage::{Class, LocalStorage, Result, Storage, StoragePath, WriteMode};

fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

async fn write(storage: &LocalStorage, name: &str, data: impl Into<Bytes>) -> Result<()> {
    storage
        .write(&path(name), data.into(), WriteMode::New, Class::Data)
        .await
}

async fn names(storage: &LocalStorage) -> Vec<String> {
    let files = storage.list(None).await.unwrap();
    let mut names: Vec<_> = files
        .into_iter()
        .map(|file| file.path.as_str().to_owned())
        .collect();
    names.sort();
    names
}

/// Every file and link below a folder, as it lies there.
fn on_disk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .unwrap()
        .map(std::result::Result::unwrap)
    {
        if entry.file_type().unwrap().is_dir() {
            found.extend(on_disk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
