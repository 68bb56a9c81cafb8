//! Whether the server is the one that it should be.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use strongroom_storage::{ErrorKind, Retry, Storage, Surroundings};
use strongroom_testkit::servers::{Sshd, make_key};

use crate::opened::{first_error, on, opened_in};

/// What an error says to add, added.
fn add_line_of(message: &str, file: &Path) {
    let line = message.lines().last().unwrap();
    assert!(line.starts_with("[127.0.0.1]:"), "{message}");
    fs::write(file, format!("# mine\n{line}\n")).unwrap();
}

/// Whoever is on the way to an unknown server would get the password and the data.
#[tokio::test]
async fn an_unknown_server_is_refused_with_the_line_that_makes_it_known() {
    let server = Sshd::start();
    fs::remove_file(server.known_hosts()).unwrap();
    let error = first_error(&on(&server, &[])).await;
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Untrusted, Retry::Never)
    );
    let known_hosts = server.known_hosts();
    assert!(
        error.message.contains(known_hosts.to_str().unwrap()),
        "{error}"
    );
    assert!(error.message.contains("SHA256:"), "{error}");
    assert!(
        error.message.ends_with(&server.known_hosts_line("ed25519")),
        "{error}"
    );
    assert!(
        !server.log().contains("Accepted"),
        "nobody signed in: {}",
        server.log()
    );

    add_line_of(&error.message, &known_hosts);
    on(&server, &[]).create().await.unwrap();
}

/// The same with the file hashed by `ssh-keygen -H`, as some systems keep it.
#[tokio::test]
async fn a_hashed_entry_is_known() {
    let server = Sshd::start();
    let hashed = Command::new("ssh-keygen")
        .arg("-H")
        .arg("-f")
        .arg(server.known_hosts())
        .output();
    assert!(hashed.unwrap().status.success());
    let text = fs::read_to_string(server.known_hosts()).unwrap();
    assert!(
        text.starts_with("|1|") && !text.contains("127.0.0.1"),
        "{text}"
    );
    on(&server, &[]).create().await.unwrap();
}

#[tokio::test]
async fn a_changed_key_is_refused_and_the_line_named() {
    let server = Sshd::start();
    let other = server.folder().join("other");
    make_key(&other, "ed25519", "");
    let key = fs::read_to_string(other.with_extension("pub")).unwrap();
    let line = format!("# one\n[127.0.0.1]:{} {key}", server.port());
    fs::write(server.known_hosts(), line).unwrap();
    let error = first_error(&on(&server, &[])).await;
    assert_eq!(error.kind, ErrorKind::Untrusted);
    assert!(
        error.message.contains("has changed") && error.message.contains("line 2"),
        "{error}"
    );
    assert!(
        error.message.ends_with(&server.known_hosts_line("ed25519")),
        "{error}"
    );
    assert!(!server.log().contains("Accepted"), "{}", server.log());
}

#[tokio::test]
async fn a_revoked_key_is_refused_though_it_is_known() {
    let server = Sshd::start();
    let known = server.known_hosts_line("ed25519");
    let (_, key) = known.split_once(' ').unwrap();
    fs::write(server.known_hosts(), format!("{known}\n@revoked * {key}\n")).unwrap();
    let error = first_error(&on(&server, &[])).await;
    assert_eq!(error.kind, ErrorKind::Untrusted);
    assert!(
        error.message.contains("revoked") && error.message.contains("line 2"),
        "{error}"
    );
}

/// A server with several keys shows the one that is known: otherwise it would be called unknown when it is not.
#[tokio::test]
async fn a_server_is_asked_for_the_key_that_is_known() {
    let server = Sshd::with(&["ed25519", "ecdsa", "rsa"], "");
    for kind in ["ed25519", "ecdsa"] {
        fs::write(server.known_hosts(), server.known_hosts_line(kind)).unwrap();
        on(&server, &[]).create().await.unwrap();
    }
    // One that is known by a kind that we leave out shows another, and says so.
    fs::write(server.known_hosts(), server.known_hosts_line("rsa")).unwrap();
    let error = first_error(&on(&server, &[])).await;
    assert!(error.message.contains("of other kinds: ssh-rsa"), "{error}");
    assert!(
        error.message.ends_with(&server.known_hosts_line("ed25519")),
        "{error}"
    );
}

/// RSA is left out; whoever needs it is told what to do, and that works.
#[tokio::test]
async fn a_server_with_nothing_but_rsa_is_refused_with_a_way_out() {
    let server = Sshd::with(&["rsa"], "");
    let error = first_error(&on(&server, &[])).await;
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Untrusted, Retry::Never)
    );
    assert!(error.message.contains("sftp.command"), "{error}");
    let command = format!("sftp.command={}", server.ssh_command());
    on(&server, &[&command]).create().await.unwrap();
}

/// The files of the person's home are found without a word.
#[tokio::test]
async fn the_usual_files_in_the_home_folder_are_used() {
    let server = Sshd::start();
    let home = server.folder().join("home");
    fs::create_dir_all(home.join(".ssh")).unwrap();
    fs::copy(server.known_hosts(), home.join(".ssh/known_hosts")).unwrap();
    fs::copy(server.client_key(), home.join(".ssh/id_ed25519")).unwrap();
    let surroundings = Surroundings::default().with_home(Some(home));
    let storage: Arc<dyn Storage> = opened_in(&server.url("repository"), &[], &surroundings);
    storage.create().await.unwrap();
}
