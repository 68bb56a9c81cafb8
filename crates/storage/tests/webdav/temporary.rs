//! What interrupted writes leave behind.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use strongroom_storage::WriteMode;
use strongroom_testkit::servers::{ApacheDav, RcloneWebdav, Wsgidav};

use crate::opened::{opened, path, put};

const OLD: &str = "strongroom-000000000000000000000001.tmp~";
const NEW: &str = "strongroom-000000000000000000000002.tmp~";
const FOREIGN: &str = "somebody else's ünd old~";

/// Half a pack that a listing shows is taken for a whole one; half packs that nobody removes fill the disk; and a file that is
/// being written, or of somebody else, is not ours to remove.
#[tokio::test(flavor = "multi_thread")]
async fn are_hidden_and_go_after_a_day() {
    let (rclone, apache, other) = (RcloneWebdav::start(), ApacheDav::basic(), Wsgidav::start());
    let places = [
        (rclone.url("r"), rclone.root().to_owned()),
        (apache.url("r"), apache.root()),
        (other.url("r"), other.root().to_owned()),
    ];
    for (address, root) in places {
        let storage = opened(&address, &[]);
        storage.create().await.unwrap();
        put(&*storage, "data/ab/one", WriteMode::New).await.unwrap();
        let folder = root.join("r/data/ab");
        let two_days = Duration::from_secs(2 * 24 * 60 * 60);
        for (name, age) in [(OLD, two_days), (NEW, Duration::ZERO), (FOREIGN, two_days)] {
            let file = File::create(folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        // As whoever the server runs as can remove it.
        let listed = storage.list(None).await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert!(folder.join(OLD).exists(), "a reader has removed something");
        put(&*storage, "data/ab/two", WriteMode::New).await.unwrap();
        let mut left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["one", FOREIGN, NEW, "two"], "{address}");
    }
}

/// Ctrl-C leaves nothing that somebody has to tidy up by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_leaves_none() {
    let server = Wsgidav::start();
    let storage = opened(&server.url("r"), &[]);
    storage.create().await.unwrap();
    put(&*storage, "data/ab/one", WriteMode::New).await.unwrap();
    put(&*storage, "data/ab/one", WriteMode::New)
        .await
        .unwrap_err();
    let folder = server.root().join("r/data/ab");
    // It is removed behind the back of the call.
    for _ in 0..1000 {
        let count = fs::read_dir(&folder).unwrap().count();
        if count == 1 {
            return;
        }
        storage.stat(&path("data/ab/one")).await.unwrap();
    }
    panic!("{:?}", fs::read_dir(&folder).unwrap().collect::<Vec<_>>());
}
