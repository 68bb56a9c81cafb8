//! Holds the direction of dependencies between our crates. A new edge is a decision: written here and in ARCHITECTURE.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

/// A crate and those of ours that it may use. `testkit` is not listed anywhere: it may use every crate, and
/// appears under `[dev-dependencies]` alone, where every crate may use it.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("kernel", &[]),
    ("storage", &[]),
    ("api", &[]),
    ("repository", &["storage", "kernel"]),
    ("archive", &["storage", "kernel"]),
    ("serve-rest", &["storage"]),
    ("source", &["repository"]),
    ("mount", &["repository"]),
    ("job", &["source", "repository", "archive", "storage"]),
    ("server", &["job", "api"]),
    (
        "cli",
        &[
            "kernel",
            "storage",
            "api",
            "repository",
            "archive",
            "source",
            "mount",
            "serve-rest",
            "job",
            "server",
        ],
    ),
    (
        "testkit",
        &[
            "kernel",
            "storage",
            "api",
            "repository",
            "archive",
            "source",
            "mount",
            "serve-rest",
            "job",
            "server",
        ],
    ),
];

/// Edges that are allowed under `[dev-dependencies]` beside testkit: the tests of sources and targets back up into a
/// real repository and restore from it.
const FOR_TESTS: [(&str, &str); 1] = [("source", "storage")];

/// Tools of developers, in folders of their own beside `crates/`. They may use every crate, and no crate may use them.
const TOOLS: [&str; 2] = ["strongroom-bench", "strongroom-mutants"];

/// The folder of a package: `strongroom-storage` is `storage`, `strongroom` is `cli`.
fn folder_of(package: &str) -> Option<&str> {
    if package == "strongroom" {
        Some("cli")
    } else {
        package.strip_prefix("strongroom-")
    }
}

/// Every edge of `cargo metadata` that is not allowed, as a sentence.
fn violations(metadata: &Value) -> Vec<String> {
    let allowed = BTreeMap::from(ALLOWED);
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if TOOLS.contains(&name) {
            continue;
        }
        let Some(may_use) = folder_of(name).and_then(|folder| allowed.get(folder)) else {
            found.push(format!("{name} is a crate that no rule mentions"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let Some(folder) = folder_of(used) else {
                continue;
            };
            let is_for_tests = dependency["kind"] == "dev";
            let test_edge = (folder_of(name).unwrap(), folder);
            let may_test_with = folder == "testkit" || FOR_TESTS.contains(&test_edge);
            if !(may_use.contains(&folder) || is_for_tests && may_test_with) {
                found.push(format!("{name} must not use {used}"));
            }
        }
    }
    found
}

#[test]
fn crates_use_only_what_they_may() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(violations(&metadata), Vec::<String>::new());
}

/// Rows of the table in ARCHITECTURE.md: the crates on the left, and what the right side says.
fn documented(text: &str) -> Vec<(String, String)> {
    let table = text
        .split_once("| crate | may use |\n|---|---|\n")
        .expect("the table of edges")
        .1;
    let mut rows = Vec::new();
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        rows.extend(
            cells[0]
                .split(", ")
                .map(|folder| (folder.to_owned(), cells[1].to_owned())),
        );
    }
    rows
}

#[test]
fn the_architecture_document_has_the_same_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let documented = documented(&std::fs::read_to_string(path).unwrap());
    let in_words = |(folder, may_use): (&str, &[&str])| {
        let words = match folder {
            "cli" => "everything but testkit".to_owned(),
            "testkit" => "everything; under `[dev-dependencies]` alone".to_owned(),
            _ if may_use.is_empty() => "nothing of ours".to_owned(),
            _ => may_use.join(", "),
        };
        (folder.to_owned(), words)
    };
    assert_eq!(documented, ALLOWED.map(in_words).to_vec());
}

/// Metadata with one package and one dependency.
fn one_edge(package: &str, used: &str, kind: Option<&str>) -> Value {
    json!({ "packages": [{ "name": package, "dependencies": [{ "name": used, "kind": kind }] }] })
}

#[test]
fn a_wrong_edge_is_seen() {
    let wrong = [
        ("strongroom-storage", "strongroom-repository", None),
        ("strongroom-source", "strongroom-storage", None),
        ("strongroom-mount", "strongroom-storage", None),
        ("strongroom-repository", "strongroom-source", Some("dev")),
        ("strongroom-repository", "strongroom-source", Some("build")),
        ("strongroom-repository", "strongroom-testkit", None),
        ("strongroom-server", "strongroom-repository", None),
        ("strongroom", "strongroom-testkit", None),
        ("strongroom-source", "strongroom", None),
        ("strongroom-surprise", "serde", None),
    ];
    for (package, used, kind) in wrong {
        assert_eq!(
            violations(&one_edge(package, used, kind)).len(),
            1,
            "{package} -> {used}"
        );
    }
}

#[test]
fn an_allowed_edge_passes() {
    let right = [
        ("strongroom-repository", "strongroom-storage", None),
        ("strongroom-repository", "strongroom-testkit", Some("dev")),
        ("strongroom-source", "strongroom-storage", Some("dev")),
        ("strongroom-storage", "serde", None),
        ("strongroom", "strongroom-source", None),
        ("strongroom-testkit", "strongroom-source", None),
    ];
    for (package, used, kind) in right {
        assert_eq!(
            violations(&one_edge(package, used, kind)),
            Vec::<String>::new()
        );
    }
}
