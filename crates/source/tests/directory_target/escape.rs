//! A target may hold links to anywhere; nothing outside it may change.

use std::os::unix::fs::symlink;
use std::path::Path;

use strongroom_repository::format::NodeKind;
use strongroom_repository::restore::{Attributes, Place, Target, TargetErrorKind, TargetPath};

use crate::{names, node, path, targets, write, write_in_steps};

/// A folder beside the target that must stay as it is, and a link to it in the target.
fn outside(folder: &Path) -> std::path::PathBuf {
    let outside = folder.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("precious"), "precious").unwrap();
    symlink(&outside, folder.join("target/dir")).unwrap();
    symlink(outside.join("precious"), folder.join("target/file")).unwrap();
    outside
}

fn untouched(outside: &Path) {
    assert_eq!(names(outside), ["precious"]);
    assert_eq!(
        std::fs::read(outside.join("precious")).unwrap(),
        b"precious"
    );
}

#[test]
fn a_link_on_the_way_is_never_followed() {
    for (folder, target) in targets() {
        let outside = outside(folder.path());
        let below = path("dir/precious");
        let file = node(NodeKind::File);
        let all = Attributes::default();
        let refused = [
            write(&target, &below, b"bad", Place::Taken).map(drop),
            write(&target, &path("dir/new"), b"bad", Place::Free).map(drop),
            write_in_steps(&target, &path("dir/new"), b"bad", Place::Free).map(drop),
            target.create_dir(&path("dir/new")),
            target.list(&path("dir")).map(drop),
            target.read(&below).map(drop),
            target.set_attributes(&below, &file, &all).map(drop),
            target.remove_entry(&below),
            target.remove_dir(&below),
            target.unlock_dir(&path("dir")),
            target.link(&below, &path("stolen"), Place::Free),
            target.link(&path("file"), &path("dir/new"), Place::Free),
            target
                .create_special(&path("dir/new"), &node(NodeKind::Fifo), Place::Free, &all)
                .map(drop),
        ];
        for (number, result) in refused.into_iter().enumerate() {
            // Without privilege nothing has to be unlocked, and as root nothing is.
            if number == 9 && result.is_ok() {
                continue;
            }
            assert_eq!(
                result.unwrap_err().kind,
                TargetErrorKind::NotADirectory,
                "call {number}"
            );
        }
        untouched(&outside);
    }
}

#[test]
fn a_link_under_the_final_name_is_replaced_and_not_written_through() {
    for (folder, target) in targets() {
        let outside = outside(folder.path());
        write(&target, &path("file"), b"new", Place::Taken).unwrap();
        write(&target, &path("dir"), b"new", Place::Taken).unwrap();
        assert_eq!(
            std::fs::read(folder.path().join("target/file")).unwrap(),
            b"new"
        );
        assert!(folder.path().join("target/dir").is_file());
        untouched(&outside);
    }
}

#[test]
fn a_link_under_the_partial_name_is_removed_and_not_written_through() {
    for (folder, target) in targets() {
        let outside = outside(folder.path());
        let partial = strongroom_repository::restore::partial_name(b"f");
        let partial = folder
            .path()
            .join("target")
            .join(String::from_utf8(partial).unwrap());
        symlink(outside.join("precious"), &partial).unwrap();
        assert!(
            target
                .list(&TargetPath::root())
                .unwrap()
                .leftovers
                .is_empty()
        );
        write_in_steps(&target, &path("f"), b"new", Place::Free).unwrap();
        assert!(!partial.exists());
        untouched(&outside);
    }
}

#[test]
fn a_link_is_no_file_and_no_directory_to_set_attributes_of() {
    for (folder, target) in targets() {
        let outside = outside(folder.path());
        for (name, kind) in [("dir", NodeKind::Dir), ("file", NodeKind::File)] {
            let refused = target.set_attributes(&path(name), &node(kind), &Attributes::default());
            assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Changed);
        }
        assert_eq!(
            target.read(&path("file")).err().unwrap().kind,
            TargetErrorKind::Changed
        );
        untouched(&outside);
    }
}

#[test]
fn a_directory_that_becomes_a_link_between_two_calls_is_not_followed() {
    for (folder, target) in targets() {
        let outside = outside(folder.path());
        let root = folder.path().join("target");
        target.create_dir(&path("sub")).unwrap();
        write(&target, &path("sub/one"), b"1", Place::Free).unwrap();
        std::fs::rename(root.join("sub"), root.join("moved")).unwrap();
        symlink(&outside, root.join("sub")).unwrap();
        // The directory is still open: what is written lands where it went, which is inside; or it is refused.
        let _ = write(&target, &path("sub/two"), b"2", Place::Free);
        untouched(&outside);
    }
}
