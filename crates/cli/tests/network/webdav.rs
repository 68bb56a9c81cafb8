//! Repositories over WebDAV: from one end to the other, and restic on what lies on the server's disk.

use std::path::Path;

use strongroom_testkit::servers::{ApacheDav, RcloneWebdav, Wsgidav};
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault, Restic, strongroom};

use crate::round::{assert_restores, vault_at, whole_round};
use crate::vault::Vault;

fn assert_restic_agrees(folder: &Path) {
    let restic = Restic::new(folder, "try-me");
    restic.check_read_data();
    assert_eq!(restic.snapshot_ids().len(), 1);
}

#[test]
fn rclones_server() {
    let server = RcloneWebdav::start();
    let vault = vault_at(&server.url("ada/laptop"));
    whole_round(&vault, None);
    assert_restic_agrees(&server.root().join("ada/laptop"));
}

#[test]
fn apache_by_digest() {
    let server = ApacheDav::digest(300);
    let vault = vault_at(&server.url("ada/laptop"));
    whole_round(&vault, None);
    assert_restic_agrees(&server.root().join("ada/laptop"));
    // Folders of our own are as good as restic's here.
    vault
        .run(&["forget", "latest", "--trash", "14d", "--yes"])
        .ok();
    vault.run(&["undelete", "--all"]).ok();
    assert_restores(&vault, "back-from-trash");
}

#[test]
fn wsgidav_by_digest() {
    let server = Wsgidav::start();
    let vault = vault_at(&server.url("ada/laptop"));
    whole_round(&vault, None);
    assert_restic_agrees(&server.root().join("ada/laptop"));
}

/// Over a line that misbehaves, what is published restores, and restic agrees.
#[test]
fn a_line_that_misbehaves() {
    let server = ApacheDav::basic();
    let mut faults = [
        HttpFault::Status(500),
        HttpFault::Status(502),
        HttpFault::Status(423),
        HttpFault::StatusWithPause(429, "0".to_owned()),
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::ResetAnswerAfter(100),
        HttpFault::CutAnswer(100),
    ]
    .into_iter()
    .cycle();
    let proxy = FaultProxy::start(server.host(), move |asked: &HttpAsked| {
        match asked.number % 23 {
            0 => faults.next().unwrap_or(HttpFault::None),
            _ => HttpFault::None,
        }
    });
    let address = |host: &str| format!("webdav://ada:try-me@{host}/r/");
    let vault = vault_at(&address(&proxy.host()));
    let run = |arguments: &[&str]| {
        let mut all = vec!["-o", "retry.first-pause=1ms"];
        all.extend(arguments);
        vault.run(&all)
    };
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    run(&["init"]).ok();
    run(&["backup", source]).ok();
    std::fs::write(vault.path("source/one.txt"), "changed").unwrap();
    run(&["backup", source]).ok();
    run(&["forget", "--keep-last", "1", "--yes"]).ok();
    run(&["prune", "--yes", "--max-unused", "0"]).ok();
    run(&["check", "--read-data"]).ok();
    assert!(proxy.asked().len() > 10 * 23, "{}", proxy.asked().len());
    assert_restic_agrees(&server.root().join("r"));
    let clean = Vault {
        program: vault.program.repository(address(server.host())),
    };
    assert_restores(&clean, "back");
}

/// What a person sees who has mistyped something.
#[test]
fn what_is_refused_is_said_without_the_password() {
    let server = Wsgidav::start();
    let mut vault = Vault::without_repository(strongroom!());
    let address = format!("webdav://ada:hunter2@{}/r/", server.host());
    vault.program = vault.program.repository(address);
    let said = vault.run(&["snapshots"]).expect_code(24).stderr_text();
    assert!(
        said.contains("does not accept this user and password") && said.contains("hint:"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    // A user and a password from the environment.
    let address = format!("webdav:http://{}/r/", server.host());
    let program = vault.program.repository(address);
    vault.program = program
        .env("STRONGROOM_WEBDAV_USERNAME", "ada")
        .env("STRONGROOM_WEBDAV_PASSWORD", "try-me");
    vault.run(&["snapshots"]).expect_code(10);
    vault.run(&["init"]).ok();
    vault.run(&["snapshots"]).ok();
    let server = RcloneWebdav::start_encrypted();
    vault.program = vault.program.repository(server.url("r"));
    let certificate = server.certificate().unwrap();
    vault.run(&["init"]).expect_code(24);
    let cacert = ["--cacert", certificate.to_str().unwrap()];
    vault.run(&[&cacert[..], &["init"]].concat()).ok();
}
