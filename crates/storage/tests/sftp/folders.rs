//! What else may lie in a repository's folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use strongroom_storage::{Class, ErrorKind, Storage, WriteMode};

use crate::opened::{path, piped};

async fn created() -> (tempfile::TempDir, Arc<dyn Storage>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let storage = piped(folder.path(), "");
    storage.create().await.unwrap();
    let root = folder.path().join("a/repository");
    (folder, storage, root)
}

async fn put(storage: &Arc<dyn Storage>, name: &str, data: &'static str) {
    let path = path(name);
    let write = storage.write(&path, data.into(), WriteMode::New, Class::Data);
    write.await.unwrap();
}

async fn listed(storage: &Arc<dyn Storage>) -> Vec<String> {
    let files = storage.list(None).await.unwrap();
    let mut names: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
    names.sort();
    names
}

/// `data` on another disk is in real use; a link to itself must not be listed for ever.
#[tokio::test]
async fn links_are_followed_and_those_that_lead_back_are_not() {
    let (folder, storage, root) = created().await;
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("ab")).unwrap();
    symlink(&elsewhere, root.join("data")).unwrap();
    put(&storage, "data/ab/pack", "x").await;
    assert!(elsewhere.join("ab/pack").is_file());
    symlink(elsewhere.join("ab/pack"), root.join("link-to-file")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("turning", root.join("turning")).unwrap();
    symlink(&root, root.join("back")).unwrap();
    // Back by way of the other disk.
    symlink(&root, elsewhere.join("home")).unwrap();
    assert_eq!(listed(&storage).await, ["data/ab/pack", "link-to-file"]);
    let info = storage.stat(&path("link-to-file")).await.unwrap();
    assert_eq!(info.size_bytes, 1);
    // A name that leads nowhere is taken all the same.
    let dangling = path("dangling");
    let write = storage.write(&dangling, "x".into(), WriteMode::New, Class::Data);
    assert_eq!(write.await.unwrap_err().kind, ErrorKind::AlreadyExists);
}

/// A file whose name is no text must not make the rest of a listing unreadable.
#[tokio::test]
async fn what_is_none_of_ours_is_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let (_folder, storage, root) = created().await;
    put(&storage, "index/a", "x").await;
    let latin = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::write(root.join(latin), "").unwrap();
    fs::write(root.join("white space"), "").unwrap();
    let fifo = Command::new("mkfifo").arg(root.join("pipe")).status();
    assert!(fifo.unwrap().success());
    fs::write(root.join("index/b-restic-temp-0123456789abcdef"), "half").unwrap();
    fs::write(root.join("index/b-tmp-123"), "half").unwrap();
    assert_eq!(listed(&storage).await, ["index/a"]);
}

/// What a crashed client leaves would fill the server; what another is writing must stay.
#[tokio::test]
async fn temporary_files_of_writers_that_are_gone_are_removed_by_the_first_write_after_a_listing() {
    let (_folder, storage, root) = created().await;
    put(&storage, "index/a", "x").await;
    let old = root.join("index/strongroom-00.tmp~");
    let young = root.join("index/strongroom-01.tmp~");
    for file in [&old, &young] {
        fs::write(file, "half").unwrap();
    }
    let touched = Command::new("touch")
        .args(["-d", "2 days ago"])
        .arg(&old)
        .status();
    assert!(touched.unwrap().success());
    put(&storage, "index/b", "x").await;
    assert_eq!(listed(&storage).await, ["index/a", "index/b"]);
    assert!(old.exists(), "whoever lists removes nothing");
    put(&storage, "index/c", "x").await;
    storage.stat(&path("index/c")).await.unwrap();
    assert!(!old.exists() && young.exists());
}

/// Other users of the server must not read the names and sizes of somebody's backups.
#[tokio::test]
async fn files_and_folders_are_private_unless_the_group_can_read_config() {
    let mode = |path: PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
    let (_folder, storage, root) = created().await;
    put(&storage, "config", "x").await;
    put(&storage, "data/ab/pack", "x").await;
    assert_eq!(mode(root.clone()), 0o700);
    assert_eq!(
        (mode(root.join("data/ab")), mode(root.join("data/ab/pack"))),
        (0o700, 0o600)
    );

    fs::set_permissions(root.join("config"), fs::Permissions::from_mode(0o640)).unwrap();
    let group = piped(_folder.path(), "");
    put(&group, "data/cd/pack", "x").await;
    assert_eq!(
        (mode(root.join("data/cd")), mode(root.join("data/cd/pack"))),
        (0o770, 0o660)
    );
}

/// The server's process is ours: one that stays would hold its connection for ever.
#[tokio::test]
async fn t24_a_command_ends_with_all_that_it_has_started() {
    let (folder, storage, root) = created().await;
    put(&storage, "a", "x").await;
    let running = |root: &std::path::Path| {
        let pattern = root.display().to_string();
        fs::read_dir("/proc").unwrap().flatten().any(|process| {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&pattern)
        })
    };
    drop(storage);
    // A program of the command's own making, too: the shell's child.
    let command = format!(
        "sftp.command=sh -c '/usr/lib/openssh/sftp-server -d {}; true'",
        root.display()
    );
    let address = format!("sftp:nowhere:{}", root.display());
    let storage = crate::opened::opened(&address, &[command]);
    assert_eq!(listed(&storage).await.len(), 1);
    assert!(running(&root));
    drop(storage);
    while running(&root) {
        tokio::task::yield_now().await;
    }
    drop(folder);
}
