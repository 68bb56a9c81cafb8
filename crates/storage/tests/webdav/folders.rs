//! Folders: which are made, which are removed, and what vanishes.

use strongroom_storage::{ErrorKind, WriteMode};
use strongroom_testkit::servers::{ApacheDav, RcloneWebdav, Wsgidav};

use crate::opened::{content, opened, path, put};

/// `MOVE` and `DELETE` take all that lies in a folder: one misplaced name would cost every pack.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_survives_a_file_of_its_name() {
    let (rclone, apache, other) = (RcloneWebdav::start(), ApacheDav::basic(), Wsgidav::start());
    let places = [
        (rclone.url("r"), rclone.root().to_owned()),
        (apache.url("r"), apache.root()),
        (other.url("r"), other.root().to_owned()),
    ];
    for (address, root) in places {
        let storage = opened(&address, &["retry.upload=1ms"]);
        storage.create().await.unwrap();
        put(&*storage, "data/ab/kept", WriteMode::New)
            .await
            .unwrap();
        for name in ["data", "data/ab"] {
            for mode in [WriteMode::Replace, WriteMode::New] {
                put(&*storage, name, mode).await.unwrap_err();
            }
            let error = storage.delete(&path(name)).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotFound);
        }
        let kept = std::fs::read(root.join("r/data/ab/kept")).unwrap();
        assert!(kept == content(), "{address}");
    }
}

/// Somebody tidies up on the server while a backup runs: what is missing is made again, but never the storage itself, which
/// may be a disk that is not mounted.
#[tokio::test(flavor = "multi_thread")]
async fn folders_that_vanish_are_made_again_and_the_storage_is_not() {
    let (apache, other) = (ApacheDav::basic(), Wsgidav::start());
    let places = [
        (apache.url("r"), apache.root()),
        (other.url("r"), other.root().to_owned()),
    ];
    for (address, root) in places {
        let storage = opened(&address, &[]);
        storage.create().await.unwrap();
        put(&*storage, "data/ab/one", WriteMode::New).await.unwrap();
        std::fs::remove_dir_all(root.join("r/data")).unwrap();
        put(&*storage, "data/ab/two", WriteMode::New).await.unwrap();
        let files = storage.list(None).await.unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        std::fs::remove_dir_all(root.join("r")).unwrap();
        let error = put(&*storage, "data/ab/three", WriteMode::New).await;
        assert_eq!(error.unwrap_err().kind, ErrorKind::NotFound);
        let error = storage.list(None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(!root.join("r").exists());
    }
}

/// A place that is no WebDAV at all is told apart from an empty one.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_kind_is_recognised() {
    let server = strongroom_testkit::servers::OurRest::start(|_| {});
    let storage = opened(&format!("webdav://{}/r/", server.host()), &[]);
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(
        error.to_string().contains("does not speak WebDAV"),
        "{error}"
    );
}
