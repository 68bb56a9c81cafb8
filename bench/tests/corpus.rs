//! Figures of two runs can be compared only if both ran over the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use strongroom_bench::corpus::{Corpus, Size, files_below};

/// All paths and contents of the small corpus. A change here is a change of what is measured: raise the generator's number with it.
const SMALL: &str = "98cb86f581eaece8abe365109f639ad656eb78adbc2de7549493b1f25a1caf30";

/// A new folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn digest(root: &Path) -> String {
    let mut hash = Sha256::new();
    for path in files_below(root).unwrap() {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        if name == "stamp.json" {
            continue;
        }
        let content = fs::read(&path).unwrap();
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_corpus_is_the_same_everywhere_and_again_after_a_churn() {
    let work = &folder("corpus-again");
    let corpus = Corpus::prepare(work, Size::Small, 1).unwrap();
    assert_eq!(digest(corpus.folder()), SMALL);

    corpus.churn().unwrap();
    assert_ne!(digest(corpus.folder()), SMALL);
    corpus.undo_churn().unwrap();
    assert_eq!(digest(corpus.folder()), SMALL, "the undone churn");

    // A run that was stopped in the middle of a churn leaves its mark.
    corpus.churn().unwrap();
    let again = Corpus::prepare(work, Size::Small, 1).unwrap();
    assert_eq!(digest(again.folder()), SMALL, "the churn of an earlier run");
}

#[test]
fn a_churn_changes_about_one_per_cent() {
    let work = &folder("corpus-share");
    let corpus = Corpus::prepare(work, Size::Small, 1).unwrap();
    let read = |root: &Path| -> Vec<(String, Vec<u8>)> {
        let files = files_below(root).unwrap();
        files
            .iter()
            .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
            .collect()
    };
    let before = read(&corpus.folder().join("src"));
    corpus.churn().unwrap();
    let after = read(&corpus.folder().join("src"));
    let kept = after.iter().filter(|file| before.contains(file)).count();
    assert!(
        (570..600).contains(&kept),
        "{kept} of 600 files are as they were"
    );
}

#[test]
fn another_seed_gives_other_data() {
    let work = &folder("corpus-seed");
    let corpus = Corpus::prepare(work, Size::Small, 2).unwrap();
    assert_ne!(digest(corpus.folder()), SMALL);
}
