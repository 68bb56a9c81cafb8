//! The repository that lies in what is backed up is left out, whatever way leads to it: it would grow with itself.

use std::fs;

use strongroom_repository::backup::{LeftOutReason, Source};
use strongroom_source::files::{Files, Symlinks};
use strongroom_testkit::source_suite::walk;

use crate::{bytes, inside, options};

#[test]
fn the_repository_inside_the_tree_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    for dir in ["vault/data", "home/cache", "home/vault"] {
        fs::create_dir_all(folder.path().join(dir)).unwrap();
    }
    std::os::unix::fs::symlink("../vault", folder.path().join("home/link")).unwrap();
    fs::hard_link(
        {
            fs::write(folder.path().join("single-file"), "").unwrap();
            folder.path().join("single-file")
        },
        folder.path().join("home/same-file"),
    )
    .unwrap();
    let own = ["vault", "home/../home/cache", "single-file", "not-there"]
        .map(|path| folder.path().join(path));
    let files = inside(folder.path(), |options| {
        options.own = own.to_vec();
        options.symlinks = Symlinks::Follow;
    });
    assert_eq!(
        walk(&files).without_errors().paths(),
        ["/home", "/home/vault"]
    );
    let told: Vec<_> = files.left_out();
    assert!(
        told.iter()
            .all(|left_out| left_out.reason == LeftOutReason::Own)
    );
    let paths: Vec<_> = told.into_iter().map(|left_out| left_out.path).collect();
    let expected = [
        "home/cache",
        "home/link",
        "home/same-file",
        "single-file",
        "vault",
    ];
    assert_eq!(paths, expected.map(|path| bytes(&folder.path().join(path))));
}

#[test]
fn the_repository_named_as_a_path_is_left_out_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("vault")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let mut options = options(folder.path());
    options.own = vec!["vault".into()];
    let files = Files::new(&[b"vault".to_vec(), b"file".to_vec()], options).unwrap();
    assert_eq!(walk(&files).without_errors().paths(), ["/file"]);
    assert_eq!(files.left_out().len(), 1);
}
