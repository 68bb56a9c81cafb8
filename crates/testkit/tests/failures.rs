//! The stories of docs/failures.md and the tests of the workspace name each other. A story without a test is a promise
//! that nobody checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `12` for a name like `t12_…`; several ids may follow one another: `t23_t25_…`.
fn ids_of_name(name: &str) -> Vec<u32> {
    let id = |part: &str| {
        let digits = part.strip_prefix('t')?;
        (digits.len() == 2).then(|| digits.parse().ok())?
    };
    name.split('_').map_while(id).collect()
}

/// The ids of all tests: functions whose names begin with one.
fn tested() -> BTreeSet<u32> {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    let mut ids = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines() {
            if let Some((_, name)) = line.split_once("fn t") {
                ids.extend(ids_of_name(&format!(
                    "t{}",
                    name.split('(').next().unwrap()
                )));
            }
        }
    }
    ids
}

fn told() -> BTreeSet<u32> {
    let text = std::fs::read_to_string(root().join("docs/failures.md")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("| T-")?.get(..2)?.parse().ok())
        .collect()
}

#[test]
fn every_story_has_a_test_and_every_test_of_a_story_is_told() {
    let (tested, told) = (tested(), told());
    let without_test: Vec<&u32> = told.difference(&tested).collect();
    let untold: Vec<&u32> = tested.difference(&told).collect();
    assert!(
        without_test.is_empty(),
        "stories without a test: {without_test:?}"
    );
    assert!(
        untold.is_empty(),
        "tests of stories that docs/failures.md does not tell: {untold:?}"
    );
}

#[test]
fn names_of_tests_give_their_ids() {
    assert_eq!(ids_of_name("t23_t25_a_backup"), [23, 25]);
    assert_eq!(ids_of_name("t1_short"), [0_u32; 0]);
    assert_eq!(ids_of_name("tar_t12"), [0_u32; 0]);
}
