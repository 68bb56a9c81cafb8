//! Who may in.

use std::time::{Duration, Instant};

use strongroom_storage::{ErrorKind, WriteMode};
use strongroom_testkit::servers::{ApacheDav, RcloneWebdav, Wsgidav};
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::opened::{content, opened, opened_and_seen, path, put};

fn bodies(proxy: &FaultProxy) -> usize {
    let asked = proxy.asked();
    let is_large = |asked: &&HttpAsked| asked.body_bytes >= content().len();
    asked.iter().filter(is_large).count()
}

/// A pack that is sent before the server has said how it wants to be signed in to goes over the line twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_sent_once() {
    for server in [ApacheDav::digest(300), ApacheDav::basic()] {
        opened(&server.url("r"), &[]).create().await.unwrap();
        let proxy = FaultProxy::start(server.host(), |_| HttpFault::None);
        let address = format!("webdav://ada:try-me@{}/r/", proxy.host());
        let storage = opened(&address, &[]);
        for number in 0..5 {
            let name = format!("data/{number}");
            put(&*storage, &name, WriteMode::New).await.unwrap();
        }
        assert_eq!(bodies(&proxy), 5, "{:?}", proxy.asked());
    }
}

/// A nonce that has become too old in the middle of a backup is no reason to end it, nor to say that the password expired.
#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_is_too_old_is_replaced() {
    let server = ApacheDav::digest(1);
    let (storage, seen) = opened_and_seen(&server.url("r"), &[]);
    storage.create().await.unwrap();
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < Duration::from_millis(2500) {
        put(&*storage, &format!("data/{number}"), WriteMode::New)
            .await
            .unwrap();
        number += 1;
    }
    assert!(server.said().contains("nonce expired"), "{}", server.said());
    assert!(seen.lock().unwrap().is_empty());
}

/// A wrong password tried again and again locks the account; and what is wrong must not be guessed.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once() {
    let (digest, basic, other) = (ApacheDav::digest(300), ApacheDav::basic(), Wsgidav::start());
    for host in [digest.host(), basic.host(), other.host()] {
        let proxy = FaultProxy::start(host, |_| HttpFault::None);
        let address = format!("webdav://ada:hunter2@{}/r/", proxy.host());
        let error = opened(&address, &[]).list(None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthenticated);
        let said = error.to_string();
        assert!(said.contains("does not accept this user"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(proxy.asked().len() <= 2, "{:?}", proxy.asked());
    }
    let nobody = opened(&format!("webdav://{}/r/", basic.host()), &[]);
    let error = nobody.create().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("none were given"), "{error}");
}

/// The password does not have to stand in the address, which every user of the machine can see; and a file with a fresh one is
/// read when the old one has expired.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_password_is_fetched() {
    let server = RcloneWebdav::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "old\n").unwrap();
    let option = format!("webdav.password-file={}", file.display());
    let mut number = 0;
    // The first answer is good, so that the client has the old password when it no longer is.
    let proxy = FaultProxy::start(server.host(), move |_| {
        number += 1;
        match number {
            1 => HttpFault::Status(404),
            _ => HttpFault::None,
        }
    });
    let address = format!("webdav://{}/r/", proxy.host());
    let storage = opened(&address, &["webdav.user=ada", &option]);
    let error = storage.stat(&path("config")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    std::fs::write(&file, "try-me\n").unwrap();
    storage.create().await.unwrap();
    put(&*storage, "config", WriteMode::New).await.unwrap();
}

/// A token is all that some servers take, and rclone's none of them: what arrives is what a token looks like.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_no_password() {
    let server = RcloneWebdav::start();
    let address = format!("webdav://{}/r/", server.host());
    let storage = opened(&address, &["webdav.token-command=echo hunter2"]);
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

/// Whoever stands in for a server gets the password and every file.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_checked_unless_it_is_named_or_waived() {
    let server = RcloneWebdav::start_encrypted();
    let address = server.url("r");
    let error = opened(&address, &[]).create().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Untrusted);
    let named = format!("http.ca-file={}", server.certificate().unwrap().display());
    for (number, option) in [named.as_str(), "http.insecure-tls=true"]
        .iter()
        .enumerate()
    {
        let storage = opened(&address, &[option]);
        storage.create().await.unwrap();
        let name = format!("data/{number}");
        put(&*storage, &name, WriteMode::New).await.unwrap();
    }
    assert!(server.root().join("r/data/1").is_file());
}
