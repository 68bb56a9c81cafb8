//! Symbolic links and other things that are no plain files.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use strongroom_storage::{Class, ErrorKind, LocalStorage, Storage};

use super::{names, path, write};

/// A repository whose `data` was moved to another disk when the first one was full.
#[tokio::test]
async fn a_folder_on_another_disk_is_part_of_the_storage() {
    let here = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir_in("/dev/shm").unwrap();
    symlink(there.path(), here.path().join("data")).unwrap();
    let storage = LocalStorage::new(here.path());
    write(&storage, "data/ab/a", "x").await.unwrap();
    write(&storage, "config", "x").await.unwrap();
    assert!(there.path().join("ab/a").is_file());
    assert_eq!(names(&storage).await, ["config", "data/ab/a"]);
    assert_eq!(storage.list(Some(&path("data"))).await.unwrap().len(), 1);
    assert_eq!(storage.list(Some(&path("data/ab"))).await.unwrap().len(), 1);
    storage.delete(&path("data/ab/a")).await.unwrap();

    // The storage itself may be a link too, and a single file.
    let link = here.path().join("link");
    symlink(there.path(), &link).unwrap();
    write(&LocalStorage::new(&link), "b", "abc").await.unwrap();
    symlink(there.path().join("b"), here.path().join("c")).unwrap();
    fs::remove_file(link).unwrap();
    assert_eq!(names(&storage).await, ["c", "config", "data/b"]);
    assert_eq!(storage.stat(&path("c")).await.unwrap().size_bytes, 3);
}

/// A link in a circle must not make a listing endless, or show a file many times.
#[tokio::test]
async fn a_circle_of_links_is_entered_once() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    write(&storage, "data/ab/a", "x").await.unwrap();
    symlink("..", folder.path().join("data/up")).unwrap();
    symlink(".", folder.path().join("data/here")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    assert_eq!(names(&storage).await, ["data/ab/a"]);
}

/// A named pipe, a socket or a folder is no file, and reading it must not wait for a writer.
#[tokio::test]
async fn what_is_no_file_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    for name in ["pipe", "folder"] {
        let error = storage
            .read(&path(name), None, Class::Data)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        let error = storage.stat(&path(name)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
    }
    storage
        .read(&path("socket"), None, Class::Data)
        .await
        .unwrap_err();
    assert!(names(&storage).await.is_empty());
}

/// What others leave lying about (`lost+found`, `.DS_Store~`, names that are no text) is none of our business.
#[tokio::test]
async fn names_that_are_none_of_ours_are_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(folder.path());
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    fs::write(folder.path().join("lost+found/a"), "x").unwrap();
    fs::write(folder.path().join("a b"), "x").unwrap();
    fs::write(
        folder.path().join(std::ffi::OsStr::from_bytes(b"\xff")),
        "x",
    )
    .unwrap();
    write(&storage, "ours", "x").await.unwrap();
    assert_eq!(names(&storage).await, ["ours"]);
}

/// `--repo` on a file must not look like an empty storage.
#[tokio::test]
async fn a_storage_that_is_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let storage = LocalStorage::new(&file);
    assert_eq!(
        storage.list(None).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    storage.create().await.unwrap_err();
    write(&storage, "a", "x").await.unwrap_err();
    assert_eq!(fs::read(&file).unwrap(), b"x");
}
