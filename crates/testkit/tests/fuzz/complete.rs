//! A parser without a fuzz target is one that nobody has tried to break.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use strongroom_testkit::FUZZ_TARGETS;

use crate::root;

/// Marks of a parser in the source.
const MARKS: [&str; 7] = [
    "fn decode",
    "fn parse",
    "fn from_str",
    "fn unquote",
    "fn read_from",
    "Deserialize)]",
    "impl<'de> Deserialize<'de>",
];

fn rust_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(
                path.strip_prefix(root().join("crates"))
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
}

#[test]
fn every_parser_of_the_format_has_a_target() {
    let covered: BTreeSet<&str> = FUZZ_TARGETS
        .iter()
        .flat_map(|target| target.covers)
        .copied()
        .collect();
    let mut files = Vec::new();
    rust_files(&root().join("crates/repository/src/format"), &mut files);
    assert!(files.len() > 10, "the walk does not find the format");
    let parses = |file: &String| {
        let text = fs::read_to_string(root().join("crates").join(file)).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap().to_owned();
        MARKS.iter().any(|mark| product.contains(mark))
    };
    let missing: Vec<&String> = files
        .iter()
        .filter(|file| parses(file) && !covered.contains(file.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "no fuzz target in testkit/src/fuzz_targets covers {missing:?}"
    );
}

#[test]
fn what_targets_cover_exists_and_names_are_unique() {
    let mut names = BTreeSet::new();
    for target in FUZZ_TARGETS {
        assert!(names.insert(target.name), "{} occurs twice", target.name);
        for file in target.covers {
            assert!(
                root().join("crates").join(file).is_file(),
                "{}: no {file}",
                target.name
            );
        }
    }
    // A corpus that no target reads would be forgotten.
    for folder in fs::read_dir(root().join("fuzz/corpus")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(name.as_str()),
            "fuzz/corpus/{name} belongs to no target"
        );
    }
}
