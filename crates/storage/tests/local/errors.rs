//! Disks that are full, read-only or closed to us.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{
    CacheSettings, CacheStorage, Class, ErrorKind, LocalStorage, MemoryStorage, Retry, Storage,
    WriteMode,
};
use strongroom_testkit::{SmallDisk, as_nobody};

use super::{names, on_disk, path, write};

fn disk(size_bytes: u64) -> SmallDisk {
    SmallDisk::new(size_bytes)
        .expect("this test mounts a file system, so it has to run as root: sudo -E scripts/test")
}

/// T-19: a full disk must end in an error, with every file that was stored whole and nothing of the one that was not.
#[tokio::test]
async fn t19_a_full_disk_leaves_no_part_of_a_file() {
    let disk = disk(8 << 20);
    let storage = LocalStorage::new(disk.path().join("repository"));
    storage.create().await.unwrap();
    let data = Bytes::from(vec![7; 700_000]);
    let mut stored = Vec::new();
    let error = loop {
        let name = format!("data/ab/{:02}", stored.len());
        match write(&storage, &name, data.clone()).await {
            Ok(()) => stored.push(name),
            Err(error) => break error,
        }
        assert!(stored.len() < 20, "8 MiB do not hold 14 MB");
    };
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::NoSpace, Retry::Never)
    );
    assert!(!stored.is_empty());
    assert_eq!(names(&storage).await, stored);
    assert_eq!(on_disk(storage.root()).len(), stored.len(), "no litter");

    // A replaced file is the old one.
    let file = path(&stored[0]);
    let larger = Bytes::from(vec![8; 900_000]);
    let replace = storage.write(&file, larger, WriteMode::Replace, Class::Data);
    assert_eq!(replace.await.unwrap_err().kind, ErrorKind::NoSpace);
    for name in &stored {
        assert!(storage.read(&path(name), None, Class::Data).await.unwrap() == data);
    }
    // And prune, which frees space, works.
    storage.delete(&path(&stored.pop().unwrap())).await.unwrap();
    write(&storage, "data/ab/again", data).await.unwrap();
}

/// T-22: once the disk of the cache is full, runs go on without it, and fetch no whole packs for nothing.
#[tokio::test]
async fn t22_a_cache_on_a_full_disk_is_done_without() {
    let disk = disk(4 << 20);
    fs::write(disk.path().join("ballast"), vec![0; 8 << 20]).unwrap_err();
    let memory = Arc::new(MemoryStorage::new());
    let root = disk.path().join("cache");
    let cache = CacheStorage::new(memory, &root, "name", CacheSettings::default()).unwrap();
    for i in 0..3 {
        let file = path(&format!("index/{i}{}", "0".repeat(63)));
        let data = Bytes::from(vec![i; 100_000]);
        let write = cache.write(&file, data.clone(), WriteMode::New, Class::Metadata);
        write.await.unwrap();
        assert!(cache.read(&file, None, Class::Metadata).await.unwrap() == data);
    }
    assert!(
        cache
            .problem()
            .is_some_and(|problem| problem.contains("space"))
    );
}

/// A read-only disk says so, is not tried again, and can be restored from.
#[tokio::test]
async fn a_read_only_disk_can_be_read() {
    let disk = disk(4 << 20);
    let storage = LocalStorage::new(disk.path());
    write(&storage, "data/ab/a", "kept").await.unwrap();
    disk.make_read_only();
    let error = write(&storage, "data/ab/b", "x").await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::ReadOnly, Retry::Never)
    );
    let error = write(&storage, "data/cd/b", "x").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly);
    let error = storage.delete(&path("data/ab/a")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly);
    let missing = LocalStorage::new(disk.path().join("new")).create().await;
    assert_eq!(missing.unwrap_err().kind, ErrorKind::ReadOnly);
    storage.create().await.unwrap();
    assert_eq!(names(&storage).await, ["data/ab/a"]);
    let read = storage.read(&path("data/ab/a"), None, Class::Data).await;
    assert_eq!(read.unwrap(), "kept");
}

/// A listing that leaves out what it may not read tells prune that nothing is there.
#[tokio::test]
async fn what_may_not_be_read_is_an_error_and_never_left_out() {
    let test = "errors::what_may_not_be_read_is_an_error_and_never_left_out";
    let Some(root) = as_nobody(test) else { return };
    let storage = LocalStorage::new(&root);
    write(&storage, "data/ab/a", "x").await.unwrap();
    write(&storage, "data/cd/a", "x").await.unwrap();
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("data/ab", 0);
    let denied = [
        storage.list(None).await.unwrap_err(),
        storage.list(Some(&path("data"))).await.unwrap_err(),
        storage.list(Some(&path("data/ab"))).await.unwrap_err(),
        storage.stat(&path("data/ab/a")).await.unwrap_err(),
        storage
            .read(&path("data/ab/a"), None, Class::Data)
            .await
            .unwrap_err(),
        storage.delete(&path("data/ab/a")).await.unwrap_err(),
        write(&storage, "data/ab/b", "x").await.unwrap_err(),
        write(&storage, "data/ab/a", "x").await.unwrap_err(),
    ];
    for error in denied {
        assert_eq!(
            (error.kind, error.retry),
            (ErrorKind::PermissionDenied, Retry::Never),
            "{error}"
        );
    }
    // A drop box: what may be written without being listed is written.
    mode("data/ab", 0o300);
    write(&storage, "data/ab/b", "x").await.unwrap();
    storage.delete(&path("data/ab/b")).await.unwrap();
    mode("data/ab", 0o700);
    mode("data/ab/a", 0);
    let error = storage
        .read(&path("data/ab/a"), None, Class::Data)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
    mode("", 0);
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
    mode("", 0o700);
    assert_eq!(names(&storage).await.len(), 2);
}
