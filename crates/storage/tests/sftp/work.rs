//! How much is asked of a server.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{Class, Storage, WriteMode};
use strongroom_testkit::servers::Sshd;
use tokio::task::JoinSet;

use crate::opened::{on, path};

async fn many_at_once(storage: &Arc<dyn Storage>, calls: usize) {
    let mut tasks = JoinSet::new();
    for call in 0..calls {
        let storage = Arc::clone(storage);
        tasks.spawn(async move {
            let data = Bytes::from(vec![7; 500_000]);
            let name = path(&format!("data/{call}"));
            let write = storage.write(&name, data, WriteMode::Replace, Class::Data);
            write.await.unwrap();
        });
    }
    tasks.join_all().await;
}

/// Whoever looks at a few things should not sign in four times, and nobody more often than they said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_opened_when_they_are_needed_and_no_more_than_may_be() {
    let server = Sshd::start();
    let storage = on(&server, &[]);
    storage.create().await.unwrap();
    for number in 0..10 {
        let name = path(&format!("{number}"));
        let write = storage.write(&name, "x".into(), WriteMode::New, Class::Metadata);
        write.await.unwrap();
    }
    storage.list(None).await.unwrap();
    assert_eq!(server.accepted(), 1);
    for _ in 0..3 {
        many_at_once(&storage, 40).await;
    }
    assert!(
        (2..=4).contains(&server.accepted()),
        "{}",
        server.accepted()
    );

    let server = Sshd::start();
    let storage = on(&server, &["sftp.connections=1"]);
    storage.create().await.unwrap();
    many_at_once(&storage, 20).await;
    assert_eq!(server.accepted(), 1);
}

/// Some servers take one connection and no more; a backup is slower then, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wants_no_more_connections_is_left_with_those_that_it_has() {
    let server = Sshd::start();
    let line = server.known_hosts_line("ed25519");
    let (_, key) = line.split_once(' ').unwrap();
    // The first connection gets through, the others go nowhere.
    let proxy = strongroom_testkit::TcpProxy::start(&server.host(), |number| match number {
        0 => strongroom_testkit::TcpFault::None,
        _ => strongroom_testkit::TcpFault::ResetAfter(strongroom_testkit::TcpWay::Up, 10),
    });
    std::fs::write(
        server.known_hosts(),
        format!("[127.0.0.1]:{} {key}", proxy.port()),
    )
    .unwrap();
    let address = server
        .url("repository")
        .replace(&server.host(), &proxy.host());
    let storage = crate::opened::opened(&address, &server.options());
    storage.create().await.unwrap();
    for _ in 0..3 {
        many_at_once(&storage, 40).await;
    }
    assert_eq!(proxy.accepted(), 2);
    assert_eq!(storage.list(None).await.unwrap().len(), 40);
}
