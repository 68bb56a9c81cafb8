//! What is left out is what was asked to be left out, nothing more, and what no pattern names is told of.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use strongroom_repository::backup::{LeftOutReason, Source};
use strongroom_source::files::{Files, Marker};
use strongroom_testkit::source_suite::walk;
use strongroom_testkit::{Ran, Restic, SmallDisk};

use crate::{bytes, inside, options};

fn grow(folder: &Path, files: &[&str]) {
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
}

fn told(files: &Files, folder: &Path) -> Vec<(String, LeftOutReason)> {
    let folder = folder.to_str().unwrap();
    let told = files.left_out();
    told.iter()
        .map(|left_out| {
            let path = str::from_utf8(&left_out.path).unwrap();
            (
                path.strip_prefix(folder).unwrap().to_owned(),
                left_out.reason,
            )
        })
        .collect()
}

#[test]
fn a_directory_that_is_not_selected_is_never_listed() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path(), &["keep/a", "skip/b/c"]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heard, skip) = (Arc::clone(&asked), bytes(&folder.path().join("skip")));
    let files = inside(folder.path(), |options| {
        options.select = Some(Arc::new(move |path| {
            heard.lock().unwrap().push(path.to_vec());
            path != skip
        }));
    });
    assert_eq!(walk(&files).without_errors().paths(), ["/keep", "/keep/a"]);
    let expected = ["keep", "skip", "keep/a"].map(|path| bytes(&folder.path().join(path)));
    assert_eq!(*asked.lock().unwrap(), expected);
    assert!(files.left_out().is_empty());
}

#[test]
fn an_excluded_entry_that_cannot_be_looked_at_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path(), &["dir/gone", "dir/there"]);
    let gone = bytes(&folder.path().join("dir/gone"));
    let path = folder.path().join("dir/gone");
    let files = inside(folder.path(), |options| {
        // Vanishes after it was listed, before it is looked at.
        options.select = Some(Arc::new(move |asked| {
            let _ = fs::remove_file(&path);
            asked != gone
        }));
    });
    assert_eq!(
        walk(&files).without_errors().paths(),
        ["/dir", "/dir/there"]
    );
}

const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55";

/// Marked directories of all sorts, with restic's verdict on them.
fn marked(folder: &Path) {
    grow(
        folder,
        &[
            "cache/a",
            "cache/deep/b",
            "false-cache/c",
            "short/d",
            "marked/e",
            "marked/.nobackup",
        ],
    );
    grow(
        folder,
        &[
            "headed/f",
            "headed/.header",
            "no-header/g",
            "plain/h",
            "fifo/i",
        ],
    );
    fs::write(
        folder.join("cache/CACHEDIR.TAG"),
        format!("{SIGNATURE}\n# made by a test\n"),
    )
    .unwrap();
    fs::write(
        folder.join("false-cache/CACHEDIR.TAG"),
        "Signature: something else, but long enough",
    )
    .unwrap();
    fs::write(folder.join("short/CACHEDIR.TAG"), "Sig").unwrap();
    fs::write(folder.join("headed/.header"), "secret: no\n").unwrap();
    fs::write(folder.join("no-header/.header"), "public").unwrap();
}

#[test]
fn marked_directories_keep_the_marker_alone_as_with_restic() {
    let (folder, vault) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    marked(folder.path());
    let restic = Restic::new(vault.path(), "try-me");
    restic.init();
    let mut command = restic.command(["backup", "--json", "--exclude-caches"]);
    command.args([
        "--exclude-if-present",
        ".nobackup",
        "--exclude-if-present",
        ".header:secret",
    ]);
    let summary = Ran::run(command.arg(".").current_dir(folder.path()), b"").ok();
    let id = summary.json_message("summary")["snapshot_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = restic.run(["ls", &id]).ok();
    let mut theirs: Vec<_> = listed
        .stdout_text()
        .lines()
        .skip(1)
        .map(str::to_owned)
        .collect();
    theirs.retain(|line| line.starts_with('/'));
    theirs.sort();
    let files = inside(folder.path(), |options| {
        options.markers = vec![
            Marker::cache_directory(),
            Marker::parse(".nobackup").unwrap(),
            Marker::parse(".header:secret").unwrap(),
        ];
    });
    assert_eq!(walk(&files).without_errors().paths(), theirs);
    assert!(theirs.contains(&"/cache/CACHEDIR.TAG".to_owned()));
    assert!(!theirs.contains(&"/cache/deep".to_owned()));
    let expected =
        ["/cache", "/headed", "/marked"].map(|path| (path.to_owned(), LeftOutReason::Tagged));
    assert_eq!(told(&files, folder.path()), expected);
}

#[test]
fn a_fifo_in_the_place_of_a_marker_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path(), &["dir/a"]);
    let made = Command::new("mkfifo")
        .arg(folder.path().join("dir/CACHEDIR.TAG"))
        .status();
    assert!(made.unwrap().success());
    let files = inside(folder.path(), |options| {
        options.markers = vec![Marker::cache_directory()]
    });
    assert_eq!(
        walk(&files).without_errors().paths(),
        ["/dir", "/dir/CACHEDIR.TAG", "/dir/a"]
    );
}

#[test]
fn large_files_are_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path(), &["dir/small", "dir/larger"]);
    let files = inside(folder.path(), |options| options.larger_than_bytes = Some(9));
    assert_eq!(
        walk(&files).without_errors().paths(),
        ["/dir", "/dir/small"]
    );
    assert_eq!(
        told(&files, folder.path()),
        [("/dir/larger".to_owned(), LeftOutReason::TooLarge)]
    );
}

#[test]
fn another_file_system_is_stored_as_an_empty_directory_as_with_restic() {
    let Some(disk) = SmallDisk::new(1 << 20) else {
        return;
    };
    let folder = disk.path().parent().unwrap();
    grow(folder, &["beside"]);
    grow(disk.path(), &["dir/on-the-disk"]);
    let one_file_system = |paths: &[&str]| {
        let mut options = options(folder);
        options.one_file_system = true;
        let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        Files::new(&paths, options).unwrap()
    };
    let here = one_file_system(&["."]);
    assert_eq!(
        walk(&here).without_errors().paths(),
        ["/beside", "/disk", "/image"]
    );
    assert_eq!(
        told(&here, folder),
        [("/disk".to_owned(), LeftOutReason::OtherFileSystem)]
    );
    // Named, the disk is one of those to stay on.
    let both = one_file_system(&["beside", "disk"]);
    let paths = ["/beside", "/disk", "/disk/dir", "/disk/dir/on-the-disk"];
    assert_eq!(walk(&both).without_errors().paths(), paths);
    assert!(told(&both, folder).is_empty());
    let inside = one_file_system(&["disk/dir"]);
    assert_eq!(
        walk(&inside).without_errors().paths(),
        ["/disk", "/disk/dir", "/disk/dir/on-the-disk"]
    );

    let vault = tempfile::tempdir().unwrap();
    let restic = Restic::new(vault.path(), "try-me");
    restic.init();
    let mut command = restic.command(["backup", "--json", "--one-file-system", "beside", "."]);
    let summary = Ran::run(command.current_dir(folder), b"")
        .ok()
        .json_message("summary");
    let listed = restic
        .run(["ls", summary["snapshot_id"].as_str().unwrap()])
        .ok();
    let theirs: Vec<_> = listed
        .stdout_text()
        .lines()
        .filter(|l| l.starts_with('/'))
        .map(str::to_owned)
        .collect();
    assert_eq!(walk(&one_file_system(&["beside", "."])).paths(), theirs);
}
