//! The source is read once: what cannot be read a second time reaches all.

use strongroom_testkit::Random;

use crate::{assert_outcomes, backup_with, make, places};

#[test]
fn standard_input_reaches_all() {
    let vault = places();
    for name in ["a", "b", "c"] {
        make(&vault, name, "try-me");
    }
    let content = Random::new(8).bytes(5 << 20);
    let words = [
        "-r", "a", "-r", "b", "-r", "c", "backup", "--stdin", "--json",
    ];
    let ran = vault.program.run_with_stdin(words, &content).ok();
    assert_outcomes(&ran, &["success"; 3]);
    for name in ["a", "b", "c"] {
        let dumped = vault.run(&["-r", name, "dump", "latest", "/stdin"]).ok();
        assert!(dumped.stdout == content, "{name}");
    }
}

#[test]
fn a_command_runs_once_for_all() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    let script = "echo ran >> count; echo what it prints";
    let rest = ["--stdin-from-command", "--", "sh", "-c", script];
    backup_with(&vault, &["a", "b"], &rest).ok();
    assert_eq!(
        std::fs::read_to_string(vault.path("count")).unwrap(),
        "ran\n"
    );
    for name in ["a", "b"] {
        let dumped = vault.run(&["-r", name, "dump", "latest", "/stdin"]).ok();
        assert_eq!(dumped.stdout_text(), "what it prints\n");
    }
}

/// Standard input waits for the first repository that takes it.
#[test]
fn a_stream_goes_to_the_next_where_the_first_cannot_even_begin() {
    let vault = places();
    make(&vault, "b", "try-me");
    make(&vault, "c", "try-me");
    let words = [
        "-r", "gone", "-r", "b", "-r", "c", "backup", "--stdin", "--json",
    ];
    let ran = vault
        .program
        .run_with_stdin(words, b"content")
        .expect_code(3);
    assert_outcomes(&ran, &["failed", "success", "success"]);
    for name in ["b", "c"] {
        let dumped = vault.run(&["-r", name, "dump", "latest", "/stdin"]).ok();
        assert_eq!(dumped.stdout_text(), "content");
    }
}
