//! The tree changes while it is read: nothing hangs, nothing else is read in its place, and what is missing is said.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use strongroom_repository::backup::{Entry, EntryError, Source};
use strongroom_testkit::source_suite::{read, walk};

use crate::{bytes, child, entry, inside};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_file_that_became_something_else_is_an_error_and_a_fifo_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    type Replace = fn(&Path);
    let replacements: [(&str, Replace); 4] = [
        ("fifo", fifo),
        ("symlink", |path| symlink("/etc/passwd", path).unwrap()),
        ("directory", |path| fs::create_dir(path).unwrap()),
        ("socket", |path| {
            drop(std::os::unix::net::UnixListener::bind(path).unwrap())
        }),
    ];
    for (what, replace) in replacements {
        fs::write(&path, "content").unwrap();
        let file = entry(&inside(folder.path(), |_| {}), "file");
        fs::remove_file(&path).unwrap();
        replace(&path);
        let error = file
            .handle
            .open()
            .err()
            .unwrap_or_else(|| panic!("a {what} was read"));
        assert_eq!(error.path, bytes(&path));
        assert_eq!(error.during, "open");
        let removed = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        removed.unwrap();
    }
}

#[test]
fn a_file_that_was_saved_anew_is_read_with_its_new_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let mut file = entry(&inside(folder.path(), |_| {}), "file");
    let inode = file.node.inode;
    fs::write(folder.path().join("new"), "newer").unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    let content = read(file.handle.as_ref(), &mut file.node).unwrap();
    assert_eq!(content, b"newer");
    assert_eq!(file.node.size_bytes, 5);
    assert_ne!(file.node.inode, inode);
}

#[test]
fn a_file_that_grows_or_shrinks_while_it_is_read_counts_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (length, expected) in [(20, 20), (6, 6), (0, 4)] {
        fs::write(&path, [1; 10]).unwrap();
        let file = entry(&inside(folder.path(), |_| {}), "file");
        let mut content = file.handle.open().unwrap();
        let mut bytes = vec![0; 4];
        content.read_exact(&mut bytes).unwrap();
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length)
            .unwrap();
        content.read_to_end(&mut bytes).unwrap();
        content.finish().unwrap();
        assert_eq!(bytes.len(), expected);
    }
}

#[test]
fn times_are_those_of_the_opening_so_that_a_write_meanwhile_is_seen_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "before").unwrap();
    let mut file = entry(&inside(folder.path(), |_| {}), "file");
    let content = file.handle.open().unwrap();
    let before = file.node.clone();
    let later = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_times(later)
        .unwrap();
    content.refresh(&mut file.node).unwrap();
    assert_eq!(file.node, before);
}

#[test]
fn a_directory_that_vanishes_is_an_error_and_so_is_what_vanishes_in_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    fs::write(folder.path().join("dir/file"), "").unwrap();
    let files = inside(folder.path(), |_| {});
    let dir = entry(&files, "dir");
    let listed = dir.handle.children().unwrap();
    let file = child(dir.handle.as_ref(), "file");
    fs::remove_dir_all(folder.path().join("dir")).unwrap();
    let seen: Vec<_> = listed.collect();
    let error = seen[0].as_ref().err().unwrap();
    assert!(
        error.vanished && error.path == bytes(&folder.path().join("dir/file")),
        "{error}"
    );
    assert!(file.handle.open().err().unwrap().vanished);
    assert!(
        file.handle
            .complete(&mut file.node.clone())
            .unwrap_err()
            .vanished
    );
    assert!(entry_error(&dir).vanished);
}

fn entry_error(dir: &Entry) -> EntryError {
    match dir.handle.children() {
        Err(error) => error,
        Ok(children) => panic!("{} entries of a directory that is gone", children.count()),
    }
}

#[test]
fn a_directory_that_became_a_symlink_is_not_followed() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret"), "").unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    let dir = entry(&inside(folder.path(), |_| {}), "dir");
    fs::remove_dir(folder.path().join("dir")).unwrap();
    symlink(outside.path(), folder.path().join("dir")).unwrap();
    assert_eq!(entry_error(&dir).during, "open");
}

#[test]
fn another_directory_in_the_place_of_one_that_was_closed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["a/b/file", "x/b/file", "y/z/file"] {
        fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
        fs::write(folder.path().join(path), path).unwrap();
    }
    let files = inside(folder.path(), |options| options.open_directories = 1);
    let file = entry(&files, "a/b/file");
    // Takes the only descriptor away.
    let other = entry(&files, "y/z/file");
    drop(other.handle.open().unwrap());
    fs::rename(folder.path().join("a"), folder.path().join("old-a")).unwrap();
    fs::rename(folder.path().join("x"), folder.path().join("a")).unwrap();
    let error = file
        .handle
        .open()
        .err()
        .expect("the file of another directory was read");
    assert!(error.message.contains("another directory"), "{error}");
}

#[test]
fn a_fifo_and_a_device_are_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    fifo(&folder.path().join("fifo"));
    let walked = walk(&inside(folder.path(), |_| {})).without_errors();
    assert_eq!(walked.paths(), ["/fifo"]);
    assert!(inside(folder.path(), |_| {}).left_out().is_empty());
}
