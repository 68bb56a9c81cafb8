//! The tool on a small crate: a change that is called noticed without having been in effect would hide what no test looks at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CODE: &str = "//! A small crate.

/// The larger one.
pub const fn larger(a: u32, b: u32) -> u32 { if a > b { a } else { b } }
/// Counts down.
pub fn down(mut a: u32) -> u32 { while a > 0 { a = a.saturating_sub(1) } a }
/// Nobody calls it.
pub fn idle() -> u32 { 1 }
/// Has no other value that compiles.
pub fn text() -> impl Iterator<Item = u32> { [1].into_iter() }
const fn fixed() -> usize { 2 + 1 }
/// Computed while it is compiled.
pub static FIXED: [u8; fixed()] = [0; 3];

#[test]
fn t_larger() { assert_eq!((larger(1, 2), larger(2, 1), text().count(), FIXED.len()), (2, 2, 1, 3)); }
#[test]
fn t_down() { assert_eq!(down(1), 0); }
#[test]
fn fails_already() { assert_eq!(down(1), 1); }
";

/// A change of the operator, or of the body, that stands at this place of a line.
fn change(
    name: &str,
    genre: &str,
    line_has: &str,
    old: &str,
    replacement: &str,
) -> serde_json::Value {
    let (line, text) = CODE
        .lines()
        .enumerate()
        .find(|(_, text)| text.contains(line_has))
        .unwrap();
    let start = text.rfind(old).unwrap() + 1;
    serde_json::json!({
        "name": name, "file": "crates/small/src/lib.rs", "genre": genre, "replacement": replacement,
        "span": {"start": {"line": line + 1, "column": start}, "end": {"line": line + 1, "column": start + old.len()}},
    })
}

fn tool(work: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom-mutants"));
    command
        .arg("--work")
        .arg(work)
        .args(["--package", "crates/small"])
        .args(arguments);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The last verdict on each change.
fn outcomes(work: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(work.join("outcomes.jsonl")).unwrap();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let word = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
    lines
        .map(|line| (word(&line, "change"), word(&line, "verdict")))
        .collect()
}

#[test]
fn each_change_gets_the_verdict_that_it_has_when_it_is_made_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (workspace, work) = (folder.path().join("workspace"), folder.path().join("work"));
    let package = workspace.join("crates/small");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::create_dir_all(&work).unwrap();
    fs::write(
        workspace.join("Cargo.toml"),
        "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n",
    )
    .unwrap();
    fs::write(
        package.join("Cargo.toml"),
        "[package]\nname = \"small\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
    )
    .unwrap();
    fs::write(package.join("src/lib.rs"), CODE).unwrap();
    assert!(
        Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(&workspace)
            .status()
            .unwrap()
            .success()
    );

    let list = [
        change("larger: <", "BinaryOperator", "fn larger", ">", "<"),
        change("larger: >=", "BinaryOperator", "fn larger", ">", ">="),
        change("down: for ever", "BinaryOperator", "fn down", ">", ">="),
        change("idle: 0", "FnValue", "fn idle", "1", "0"),
        change(
            "text: nothing",
            "FnValue",
            "fn text",
            "[1].into_iter()",
            "std::iter::empty()",
        ),
        change("fixed: -", "BinaryOperator", "fn fixed", "+", "-"),
    ];
    fs::write(work.join("list.json"), serde_json::to_vec(&list).unwrap()).unwrap();
    tool(
        &work,
        &["prepare", "--workspace", workspace.to_str().unwrap()],
    );
    let tests = fs::read_to_string(work.join("tests.json")).unwrap();
    assert!(
        tests.contains("t_down") && !tests.contains("fails_already"),
        "a test that always fails notices everything: {tests}"
    );

    // Where not all tests were run, the next run goes on.
    tool(&work, &["run", "--tests", "t_down", "larger"]);
    assert_eq!(outcomes(&work)["larger: <"], "not_noticed");
    tool(&work, &["--workers", "2", "--slack-s", "5", "run"]);
    let expected = [
        ("larger: <", "noticed"),
        ("larger: >=", "not_noticed"),
        ("down: for ever", "hung"),
        ("idle: 0", "not_reached"),
    ];
    assert_eq!(
        outcomes(&work),
        expected
            .map(|(name, verdict)| (name.to_owned(), verdict.to_owned()))
            .into()
    );
    let shown = String::from_utf8(tool(&work, &["show"]).stdout).unwrap();
    assert!(
        shown.contains("1 does not compile") && shown.contains("1 computed while it is compiled"),
        "{shown}"
    );

    // A second run has nothing to do.
    let again = String::from_utf8(tool(&work, &["run"]).stdout).unwrap();
    assert!(again.is_empty(), "{again}");
    let tried = String::from_utf8(tool(&work, &["try", "larger: <", "t_larger"]).stdout).unwrap();
    assert!(
        tried.contains("Failed: small t_larger with larger: <"),
        "{tried}"
    );
}
