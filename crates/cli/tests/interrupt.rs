//! Ctrl-C, and a reader that goes away.

#![allow(clippy::unwrap_used)]

mod vault;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use strongroom_testkit::{Terminal, strongroom};
use vault::Vault;

/// A backup of standard input that never ends by itself.
#[test]
fn an_interrupted_backup_makes_no_snapshot_and_leaves_no_lock() {
    let vault = Vault::new(strongroom!());
    let mut child = vault.program.spawn(["backup", "--stdin"]);
    let _stdin = child.stdin.take();
    while vault.run(&["list", "locks"]).ok().stdout.is_empty() {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("no snapshot was made"), "{told}");
    assert!(vault.restic().snapshot_ids().is_empty());
    assert!(vault.restic().list("locks").is_empty());
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    let vault = Vault::new(strongroom!());
    let program = strongroom!().repository(vault.path("new"));
    let mut asked = Terminal::start(&program.command(["init"]));
    asked.wait_for("new password");
    asked.press(b"\x03");
    let ended = asked.finish();
    assert_eq!(ended.code, 130, "{ended}");
    assert!(!vault.path("new").exists());
}

#[test]
fn a_password_is_typed_twice_and_not_shown() {
    let vault = Vault::without_repository(strongroom!());
    let program = strongroom!().repository(vault.path("vault"));
    let mut asked = Terminal::start(&program.command(["init"]));
    asked.wait_for("new password");
    asked.type_line("try-me");
    asked.wait_for("again");
    asked.type_line("try-me");
    let done = asked.finish();
    assert_eq!(done.code, 0, "{done}");
    assert!(!done.stdout_text().contains("try-me"), "{done}");
    vault.run(&["snapshots"]).ok();
    let mut wrong = Terminal::start(&program.command(["snapshots"]));
    wrong.wait_for("password for");
    wrong.type_line("wrong");
    wrong.wait_for("password for");
    wrong.type_line("try-me");
    assert_eq!(wrong.finish().code, 0);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let vault = Vault::new(strongroom!());
    std::fs::write(vault.path("source/large"), vec![b'x'; 3 << 20]).unwrap();
    vault.backup();
    let mut child = vault.program.spawn(["dump", "latest", "/source/large"]);
    let mut first = [0];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("error"), "{told}");
}

#[test]
fn json_status_lines_are_restics() {
    let vault = Vault::new(strongroom!());
    let mut child = vault
        .program
        .command(["backup", "--stdin", "--json"])
        .env("STRONGROOM_PROGRESS_FPS", "50")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let status: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(status["message_type"], "status");
    assert!(status["percent_done"].is_number());
    drop(stdin);
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(27));
}
