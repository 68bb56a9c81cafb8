//! Files that are written at once: the short way must not differ from the long one in anything that stays.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use strongroom_repository::restore::{Place, TargetErrorKind, partial_name};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_testkit::as_nobody;

use crate::{names, path, targets, write, write_in_steps};

/// What is to be seen of a file from outside.
fn seen(file: &Path) -> (Vec<u8>, u32, u32, u32, (i64, i64), u64) {
    let meta = std::fs::metadata(file).unwrap();
    let content = std::fs::read(file).unwrap();
    let times = (meta.mtime(), meta.mtime_nsec());
    (
        content,
        meta.mode(),
        meta.uid(),
        meta.gid(),
        times,
        meta.nlink(),
    )
}

fn same_either_way(target: &DirectoryTarget, root: &Path) {
    for (number, data) in [&b"content"[..], b"", &[7; 100_000]]
        .into_iter()
        .enumerate()
    {
        let (short, long) = (format!("short{number}"), format!("long{number}"));
        let withheld = write(target, &path(&short), data, Place::Free).unwrap();
        assert_eq!(
            write_in_steps(target, &path(&long), data, Place::Free).unwrap(),
            withheld
        );
        assert_eq!(seen(&root.join(&short)), seen(&root.join(&long)));
        assert_eq!(seen(&root.join(&short)).0, data);
    }
}

#[test]
fn a_file_written_at_once_is_as_one_written_in_steps() {
    for (folder, target) in targets() {
        same_either_way(&target, &folder.path().join("target"));
    }
}

/// An open file may be given a name by its descriptor alone only with privilege, or since Linux 6.10.
#[test]
fn without_privilege_too() {
    let Some(folder) = as_nobody("whole_files::without_privilege_too") else {
        return;
    };
    same_either_way(&DirectoryTarget::new(&folder), &folder);
}

/// A file that somebody made meanwhile would be lost.
#[test]
fn t29_what_has_the_name_stays_and_nothing_is_left_beside_it() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "theirs").unwrap();
        let refused = write(&target, &path("f"), b"new", Place::Free);
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Exists);
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"theirs");
        assert_eq!(names(&root), ["f"]);
        write(&target, &path("f"), b"new", Place::Taken).unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"new");
        assert_eq!(names(&root), ["f"]);
    }
}

/// The leftover of a large file of that name belongs to whoever goes on with it.
#[test]
fn a_leftover_under_the_partial_name_is_not_touched() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        let partial = String::from_utf8(partial_name(b"f")).unwrap();
        std::fs::write(root.join(&partial), "left").unwrap();
        write(&target, &path("f"), b"new", Place::Free).unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"new");
        assert_eq!(std::fs::read(root.join(&partial)).unwrap(), b"left");
    }
}
