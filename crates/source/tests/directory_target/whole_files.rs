//! Files that are written at once: the short way must not differ from the long one in anything that stays.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use strongroom_repository::format::{ExtendedAttribute, Mode, NodeKind};
use strongroom_repository::restore::{Attributes, Place, Target, TargetErrorKind, partial_name};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_testkit::as_nobody;

use crate::{names, node, path, targets, write, write_in_steps};

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

/// Modes, some with an extended attribute that needs a right to write which the mode does not give.
fn modes(target: &DirectoryTarget, root: &Path) {
    let modes = [0, 0o400, 0o444, 0o600, 0o644, 0o666, 0o755, 0o777];
    for (number, mode) in (0..).zip(modes) {
        for (attribute, special) in [(false, 0), (true, 0), (false, 0o4000)] {
            let name = format!("f{number}{attribute}{special}");
            let mut node = node(NodeKind::File);
            // Set-user-id has a bit of its own in the format.
            node.mode = Mode(mode | if special == 0 { 0 } else { 1 << 23 });
            if attribute {
                node.extended_attributes.push(ExtendedAttribute {
                    name: "user.a".to_owned(),
                    value: b"1".to_vec(),
                });
            }
            let all = Attributes::default();
            let withheld = target.write_file(&path(&name), Place::Free, b"x", &node, &all);
            assert_eq!(withheld.unwrap().extended_attributes, 0, "{name}");
            let found = std::fs::metadata(root.join(&name)).unwrap();
            assert_eq!(found.mode() & 0o7777, mode | special, "{name}");
        }
    }
}

/// A file with another mode than the snapshot's is open to others, or closed to its owner. What the system takes away
/// (here, by the umask, the right of others to write) comes back.
#[test]
fn a_file_written_at_once_has_exactly_the_mode_of_the_snapshot() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        modes(&target, &root);
        let acl = [
            &[2, 0, 0, 0][..],
            &[1, 0, 7, 0, 255, 255, 255, 255],
            &[2, 0, 7, 0, 1, 0, 0, 0],
            &[4, 0, 7, 0, 255, 255, 255, 255],
            &[16, 0, 7, 0, 255, 255, 255, 255],
            &[32, 0, 0, 0, 255, 255, 255, 255],
        ];
        let inherited = "system.posix_acl_default";
        let none = rustix::fs::XattrFlags::empty();
        let below = root.join("acl");
        std::fs::create_dir(&below).unwrap();
        if rustix::fs::setxattr(&below, inherited, &acl.concat(), none).is_ok() {
            modes(&DirectoryTarget::new(&below), &below);
        }
    }
}

#[test]
fn exactly_the_mode_without_privilege_too() {
    let Some(folder) = as_nobody("whole_files::exactly_the_mode_without_privilege_too") else {
        return;
    };
    modes(&DirectoryTarget::new(&folder), &folder);
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
