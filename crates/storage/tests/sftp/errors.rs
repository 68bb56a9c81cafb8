//! What a server refuses, in our kinds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use strongroom_storage::{Class, ErrorKind, Retry, Storage, WriteMode};
use strongroom_testkit::SmallDisk;
use strongroom_testkit::servers::Sshd;

use crate::opened::{first_error, on, opened, path, piped};

async fn write(storage: &Arc<dyn Storage>, name: &str, length: usize) -> Result<(), ErrorKind> {
    let data = vec![7; length].into();
    let written = storage
        .write(&path(name), data, WriteMode::New, Class::Data)
        .await;
    written.map_err(|error| {
        assert_eq!(error.retry, Retry::Never, "{error}");
        error.kind
    })
}

/// OpenSSH says "failure" of a full disk; taken for one that passes, a backup would try for a quarter of an hour.
#[tokio::test]
async fn a_full_disk_is_no_space_and_leaves_nothing() {
    let Some(disk) = SmallDisk::new(8 << 20) else {
        return;
    };
    let storage = piped(disk.path(), "");
    storage.create().await.unwrap();
    write(&storage, "data/small", 1000).await.unwrap();
    assert_eq!(
        write(&storage, "data/large", 20 << 20).await,
        Err(ErrorKind::NoSpace)
    );
    // What was sent of it is gone, and what is small has room again.
    write(&storage, "data/again", 3 << 20).await.unwrap();
    assert_eq!(storage.list(None).await.unwrap().len(), 2);
    let left = fs::read_dir(disk.path().join("a/repository/data")).unwrap();
    assert_eq!(left.count(), 2);
}

#[tokio::test]
async fn a_read_only_file_system_is_called_that() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let storage = piped(disk.path(), "");
    storage.create().await.unwrap();
    write(&storage, "config", 10).await.unwrap();
    disk.make_read_only();
    assert_eq!(
        write(&storage, "data/a", 10).await,
        Err(ErrorKind::ReadOnly)
    );
    assert_eq!(write(&storage, "b", 10).await, Err(ErrorKind::ReadOnly));
    let deleted = storage.delete(&path("config")).await.unwrap_err();
    assert_eq!(deleted.kind, ErrorKind::ReadOnly);
    assert_eq!(
        storage
            .read(&path("config"), None, Class::Metadata)
            .await
            .unwrap()
            .len(),
        10
    );
}

/// A server that lets its users only read, as some do for those who restore.
#[tokio::test]
async fn a_server_that_lets_nobody_write_is_permission_denied() {
    let folder = tempfile::tempdir().unwrap();
    let storage = piped(folder.path(), "");
    storage.create().await.unwrap();
    write(&storage, "config", 10).await.unwrap();
    let storage = piped(folder.path(), "-R");
    assert_eq!(
        write(&storage, "a", 10).await,
        Err(ErrorKind::PermissionDenied)
    );
    let deleted = storage.delete(&path("config")).await.unwrap_err();
    assert_eq!(deleted.kind, ErrorKind::PermissionDenied);
    assert_eq!(storage.list(None).await.unwrap().len(), 1);
}

/// A listing with a hole is how data gets deleted.
#[tokio::test]
async fn a_folder_that_cannot_be_read_is_an_error_of_the_listing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = piped(folder.path(), "");
    storage.create().await.unwrap();
    write(&storage, "data/ab/pack", 10).await.unwrap();
    let denied = folder.path().join("a/repository/data/ab");
    fs::set_permissions(&denied, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Root may read everything, so the server is somebody else.
    let as_nobody = match rustix::process::geteuid().is_root() {
        true => "setpriv --reuid 65534 --clear-groups ",
        false => "",
    };
    for part in ["a", "a/repository", "a/repository/data"] {
        let part = folder.path().join(part);
        fs::set_permissions(part, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let command = format!("sftp.command={as_nobody}/usr/lib/openssh/sftp-server");
    let address = format!(
        "sftp:nowhere:{}",
        folder.path().join("a/repository").display()
    );
    let storage = opened(&address, &[command]);
    for folder in [None, Some(&path("data"))] {
        assert_eq!(
            storage.list(folder).await.unwrap_err().kind,
            ErrorKind::PermissionDenied
        );
    }
    fs::set_permissions(&denied, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_server_without_sftp_is_unsupported_and_none_at_all_unreachable() {
    let server = Sshd::with(&["ed25519"], "Subsystem sftp /no/such/program\n");
    let error = first_error(&on(&server, &[])).await;
    assert!(
        matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Unsupported),
        "{error}"
    );

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let address = format!("sftp://somebody@127.0.0.1:{port}//r");
    let error = first_error(&opened(&address, &["sftp.config=none".to_owned()])).await;
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Unreachable, Retry::Later)
    );
}

/// What a program says before it speaks SFTP, and one that ends, must not be taken for a server that is slow.
#[tokio::test]
async fn a_program_that_is_no_server_is_told_apart() {
    for (command, kind, says) in [
        (
            "false",
            ErrorKind::Unreachable,
            "\"false\" ended with exit status: 1",
        ),
        (
            "/no/such/program",
            ErrorKind::Unsupported,
            "/no/such/program",
        ),
    ] {
        let storage = opened("sftp:nowhere:/r", &[format!("sftp.command={command}")]);
        let error = first_error(&storage).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(says), "{error}");
    }
}
