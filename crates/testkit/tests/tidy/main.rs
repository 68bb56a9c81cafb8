//! Style that a machine can hold. It refuses new violations; the reasons are in STYLE.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod code;
mod each_rule_can_fail;
mod rules;

use std::fs;
use std::path::Path;

use rules::{File, RULES};

/// Folders that hold nothing of ours, and files that a tool writes.
const LEFT_OUT: [&str; 4] = ["target", ".git", "Cargo.lock", "testdata"];

/// As well, by path: what fuzzers made.
const LEFT_OUT_PATHS: [&str; 2] = ["fuzz/corpus", "fuzz/artifacts"];

/// All text files of the project.
fn project_files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if LEFT_OUT.iter().any(|name| entry.file_name() == *name)
                || LEFT_OUT_PATHS.iter().any(|left| path == root.join(left))
            {
                continue;
            }
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                let path = entry
                    .path()
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[test]
fn the_project_is_tidy() {
    let files = project_files();
    assert!(files.len() > 20, "the walk does not find the project");
    let mut found = Vec::new();
    for file in &files {
        for (rule, check) in RULES {
            for (line, what) in check(file) {
                found.push(format!("{}:{line}: {rule}: {what}", file.path));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        found.join("\n")
    );
}
