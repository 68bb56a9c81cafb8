//! Repositories over SFTP: from one end to the other, beside restic, over lines that break, and killed.

use std::fs;

use strongroom_testkit::servers::{RcloneSftp, Sshd};
use strongroom_testkit::{Ran, Random, Restic, TcpFault, TcpProxy, TcpWay, strongroom};

use crate::moment::{files, kill_when, pack_bytes};
use crate::round::{assert_restores, vault_at, whole_round};
use crate::vault::Vault;

/// The server is known in the home folder, and the key lies there, as somebody who uses `ssh` has it.
fn at_home(vault: &Vault, server: &Sshd, known_hosts: &str) {
    let folder = vault.path(".ssh");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("known_hosts"), known_hosts).unwrap();
    fs::copy(server.client_key(), folder.join("id_ed25519")).unwrap();
}

/// restic on the same repository, by way of OpenSSH's client.
fn restic(server: &Sshd, arguments: &[&str]) -> Ran {
    let restic = Restic::new(server.url("vault"), "try-me");
    let mut command = restic.command(["-o", &format!("sftp.command={}", server.ssh_command())]);
    Ran::run(command.args(arguments), b"").ok()
}

#[test]
fn from_one_end_to_the_other_and_restic_agrees() {
    let server = Sshd::start();
    let vault = vault_at(&server.url("vault"));
    at_home(&vault, &server, &server.known_hosts_line("ed25519"));
    whole_round(&vault, None);
    restic(&server, &["check", "--read-data", "--no-cache"]);
    let source = vault.path("source");
    restic(&server, &["backup", "--no-cache", source.to_str().unwrap()]);
    vault.run(&["check", "--read-data"]).ok();
    assert_restores(&vault, "back-again");
    // The address of scp, and the way that restic takes to the server.
    let place = server.folder().join("vault");
    let address = format!("sftp:nobody@nowhere:{}", place.display());
    let command = format!("sftp.command={}", server.ssh_command());
    let ran = vault
        .run(&["-r", &address, "-o", &command, "snapshots", "--json"])
        .ok();
    assert_eq!(ran.json().as_array().unwrap().len(), 2);
}

/// A server that knows passwords and little else, which is what hosting companies offer.
#[test]
fn with_a_password_on_a_server_that_is_not_openssh() {
    let server = RcloneSftp::start("hunter2");
    let vault = vault_at(&server.url("vault"));
    fs::create_dir_all(vault.path(".ssh")).unwrap();
    fs::copy(
        server.folder().join("known-hosts"),
        vault.path(".ssh/known_hosts"),
    )
    .unwrap();
    let refused = vault.run(&["snapshots"]).expect_code(24).stderr_text();
    assert!(
        refused.contains("no password") && refused.contains("hint:"),
        "{refused}"
    );
    // Signed in, it sees that there is nothing. (This server shows files late that were renamed, so none can live there.)
    let program = vault.program.env("STRONGROOM_SFTP_PASSWORD", "hunter2");
    program.run(["snapshots"]).expect_code(10);
}

/// Every connection breaks after some megabytes, in one direction or the other.
#[test]
fn over_a_line_that_breaks_again_and_again() {
    let seed = Random::fresh_seed();
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let server = Sshd::start();
    let proxy = TcpProxy::start(&server.host(), move |number| {
        let way = if number % 2 == 0 {
            TcpWay::Up
        } else {
            TcpWay::Down
        };
        let bytes = (3 << 20) + random.below(5 << 20);
        TcpFault::ResetAfter(way, usize::try_from(bytes).unwrap())
    });
    let address = server.url("vault").replace(&server.host(), &proxy.host());
    let vault = vault_at(&address);
    let known = server.known_hosts_line("ed25519");
    let (_, key) = known.split_once(' ').unwrap();
    at_home(
        &vault,
        &server,
        &format!("[127.0.0.1]:{} {key}", proxy.port()),
    );
    let run = |arguments: &[&str]| {
        let mut all = vec![
            "-o",
            "retry.first-pause=1ms",
            "-o",
            "sftp.connections=1",
            "--pack-size",
            "4",
        ];
        all.extend(arguments);
        vault.run(&all).ok()
    };
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    run(&["init"]);
    run(&["backup", source]);
    fs::write(vault.path("source/one.txt"), "changed").unwrap();
    run(&["backup", source]);
    run(&["forget", "--keep-last", "1", "--yes"]);
    run(&["prune", "--yes", "--max-unused", "0"]);
    run(&["check", "--read-data"]);
    let from = format!("latest:{source}");
    run(&["restore", &from, "--target", "broken-back"]);
    // Seven commands with one connection each, and one more for each time that the line broke.
    assert!(proxy.accepted() > 7, "{} connections", proxy.accepted());
    restic(&server, &["check", "--read-data", "--no-cache"]);
    let program = vault.program.repository(server.url("vault"));
    let vault = Vault { program };
    at_home(&vault, &server, &known);
    assert_restores(&vault, "back");
}

const FILES: u64 = 16;
const FILE_BYTES: usize = 4 << 20;
const PACK_BYTES: u64 = 4 << 20;
/// Packs that are on their way at the same time, each of which a kill may cost.
const CALLS: u64 = 8;

/// What was killed may not send again what it has sent.
#[test]
fn t23_a_backup_that_was_killed_is_continued() {
    let seed = Random::fresh_seed();
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let server = Sshd::start();
    let mut vault = Vault::without_repository(strongroom!());
    vault.program = vault.program.repository(server.url("vault"));
    at_home(&vault, &server, &server.known_hosts_line("ed25519"));
    for n in 0..FILES {
        let content = random.bytes(FILE_BYTES);
        fs::write(vault.path(&format!("source/{n}")), content).unwrap();
    }
    vault.run(&["init"]).ok();
    let data = server.folder().join("vault/data");
    let total = FILES * FILE_BYTES as u64;
    let goal = 1 + random.below(total / 2);
    let backup = ["--pack-size", "4", "backup", "--json", "source"];
    let killed = kill_when(vault.program.spawn(backup), || pack_bytes(&data) >= goal);
    assert!(killed, "it was too quick");

    let left = pack_bytes(&data);
    let last = vault.run(&backup).ok();
    let added = last.json_message("summary")["data_added"].as_u64().unwrap();
    println!("total {total}, stored by the one that was killed {left}, added by the last {added}");
    assert!(
        added < total.saturating_sub(left) + CALLS * PACK_BYTES,
        "sent again: {added} of {total}, {left} were there"
    );
    // What was half sent lies under names that nobody takes for a file.
    let whole = |path: &std::path::Path| path.file_name().is_some_and(|name| name.len() == 64);
    for path in files(&data).into_keys() {
        let is_left = path.extension().is_some_and(|end| end == "tmp~");
        assert!(whole(&path) || is_left, "{}", path.display());
    }
    restic(&server, &["check", "--read-data", "--no-cache"]);
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    for n in 0..FILES {
        let name = format!("source/{n}");
        let restored = fs::read(vault.path("out").join(&name)).unwrap();
        assert!(fs::read(vault.path(&name)).unwrap() == restored, "{name}");
    }
}

/// An unknown server is a question for the person, and nothing is sent before it is answered.
#[test]
fn an_unknown_server_is_refused_with_the_line_to_add() {
    let server = Sshd::start();
    let vault = vault_at(&server.url("vault"));
    at_home(&vault, &server, "");
    let ran = vault.run(&["snapshots"]);
    assert_ne!(ran.code, 0);
    let said = ran.stderr_text();
    assert!(said.contains(&server.known_hosts_line("ed25519")), "{said}");
    assert!(!server.log().contains("Accepted"), "{}", server.log());
}
