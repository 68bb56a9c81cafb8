//! Connections that break, stall and lie, at every stage.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Retry, Storage, StorageError, WriteMode};
use strongroom_testkit::servers::{Sshd, user};
use strongroom_testkit::{Random, TcpFault, TcpProxy, TcpWay};

use crate::opened::{opened, path};

/// The server behind a proxy whose rule sees the number of the connection.
struct Line {
    server: Sshd,
    proxy: TcpProxy,
}

impl Line {
    fn new(rule: impl FnMut(usize) -> TcpFault + Send + 'static) -> Self {
        let server = Sshd::start();
        let proxy = TcpProxy::start(&server.host(), rule);
        let known = server.known_hosts_line("ed25519");
        let (_, key) = known.split_once(' ').unwrap();
        let line = format!("[127.0.0.1]:{} {key}", proxy.port());
        fs::write(server.known_hosts(), line).unwrap();
        Self { server, proxy }
    }

    /// The first connection has the fault, later ones do not.
    fn with_one(fault: TcpFault) -> Self {
        Self::new(move |number| if number == 0 { fault } else { TcpFault::None })
    }

    fn storage(&self, more: &[&str]) -> Arc<dyn Storage> {
        let mut options = self.server.options();
        options.push("sftp.connections=1".to_owned());
        options.extend(more.iter().map(|option| (*option).to_owned()));
        let place = self.server.folder().join("repository");
        let address = format!(
            "sftp://{}@{}/{}",
            user(),
            self.proxy.host(),
            place.display()
        );
        opened(&address, &options)
    }
}

fn assert_passes(error: &StorageError) {
    assert_eq!(error.retry, Retry::Later, "{error}");
    let kinds = [ErrorKind::Unreachable, ErrorKind::TimedOut];
    assert!(kinds.contains(&error.kind), "{error}");
}

fn pack(seed: u64) -> Bytes {
    Random::new(seed).bytes(3 << 20).into()
}

async fn write(storage: &Arc<dyn Storage>, name: &str, data: &Bytes) -> Result<(), StorageError> {
    storage
        .write(&path(name), data.clone(), WriteMode::New, Class::Data)
        .await
}

/// Bytes up to which a connection is made and signed in: about 5,000 each way.
const SIGNED_IN_BYTES: usize = 20_000;

/// A pack that is half there under its final name would be believed by every later run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing_and_succeeds_when_it_is_repeated() {
    let data = pack(1);
    for at in [100, 2_000, SIGNED_IN_BYTES, 1_000_000, 3_000_000] {
        let line = Line::with_one(TcpFault::ResetAfter(TcpWay::Up, at));
        let storage = line.storage(&[]);
        fs::create_dir_all(line.server.folder().join("repository")).unwrap();
        assert_passes(&write(&storage, "data/ab/pack", &data).await.unwrap_err());
        let names = storage.list(None).await.unwrap();
        assert!(names.is_empty(), "after {at} bytes: {names:?}");
        write(&storage, "data/ab/pack", &data).await.unwrap();
        let read = storage.read(&path("data/ab/pack"), None, Class::Data).await;
        assert!(read.unwrap() == data);
        assert_eq!(line.proxy.accepted(), 2, "one connection more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_breaks_off_is_an_error_and_succeeds_when_it_is_repeated() {
    let data = pack(2);
    for at in [SIGNED_IN_BYTES, 1_000_000, 3_000_000] {
        let line = Line::with_one(TcpFault::ResetAfter(TcpWay::Down, at));
        let folder = line.server.folder().join("repository");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pack"), &data).unwrap();
        let storage = line.storage(&[]);
        let read = async || storage.read(&path("pack"), None, Class::Data).await;
        assert_passes(&read().await.unwrap_err());
        assert!(read().await.unwrap() == data);
    }
}

/// A line on which nothing moves any more looks like one that is slow; somebody has to decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_stands_still_is_given_up() {
    let data = pack(3);
    for (way, at) in [
        (TcpWay::Up, 100),
        (TcpWay::Down, 1_500),
        (TcpWay::Up, 1_000_000),
        (TcpWay::Down, SIGNED_IN_BYTES),
    ] {
        let line = Line::with_one(TcpFault::StallAfter(way, at));
        let folder = line.server.folder().join("repository");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("there"), &data).unwrap();
        let storage = line.storage(&["limit.connect=1s", "limit.no-progress=1s"]);
        let error = match way {
            TcpWay::Up => write(&storage, "pack", &data).await.unwrap_err(),
            TcpWay::Down => storage
                .read(&path("there"), None, Class::Data)
                .await
                .unwrap_err(),
        };
        assert_passes(&error);
        assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
        // The next connection is whole, and may take its time.
        write(&line.storage(&[]), "pack", &data).await.unwrap();
    }
}

/// Slow is not broken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_drips_is_waited_for() {
    for way in [TcpWay::Up, TcpWay::Down] {
        let line = Line::with_one(TcpFault::Drip(way));
        fs::create_dir_all(line.server.folder().join("repository")).unwrap();
        let storage = line.storage(&[]);
        let data = pack(4).slice(..100_000);
        write(&storage, "a", &data).await.unwrap();
        assert!(storage.read(&path("a"), None, Class::Data).await.unwrap() == data);
    }
}

/// SSH notices; what arrives is what was sent, or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_ends_the_connection_and_is_never_stored() {
    let data = pack(5);
    let line = Line::with_one(TcpFault::Flip(TcpWay::Up, 1_000_000));
    fs::create_dir_all(line.server.folder().join("repository")).unwrap();
    let storage = line.storage(&[]);
    assert_passes(&write(&storage, "pack", &data).await.unwrap_err());
    assert!(storage.list(None).await.unwrap().is_empty());
}

/// A router that restarts in the middle of a backup: every call fails, and the next ones find the server again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_after_a_cut_connect_anew() {
    let server = Sshd::start();
    let storage = crate::opened::on(&server, &[]);
    storage.create().await.unwrap();
    let data = pack(6);
    for round in 0..3 {
        write(&storage, &format!("data/{round}"), &data)
            .await
            .unwrap();
        server.cut();
        // The first call may learn of it; none after it does.
        let _ = storage.list(None).await;
        assert_eq!(storage.list(None).await.unwrap().len(), round + 1);
    }
}
