use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

use strongroom_repository::format::NodeKind;
use strongroom_repository::restore::{
    Attributes, ExistingKind, Place, Target, TargetErrorKind, TargetPath,
};

use crate::{existing, names, node, path, targets, write};

#[test]
fn t27_every_kind_of_entry_is_made_with_its_attributes() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        for (name, kind) in [
            ("symlink", NodeKind::Symlink),
            ("fifo", NodeKind::Fifo),
            ("socket", NodeKind::Socket),
            ("char", NodeKind::CharDevice),
            ("block", NodeKind::BlockDevice),
        ] {
            let mut node = node(kind);
            node.link_target = b"nowhere/\xff".to_vec();
            node.device = rustix::fs::makedev(1, 3);
            (node.uid, node.gid) = (1234, 4321);
            target
                .create_special(&path(name), &node, Place::Free, &Attributes::default())
                .unwrap();
            let found = std::fs::symlink_metadata(root.join(name)).unwrap();
            assert_eq!((found.uid(), found.gid()), (1234, 4321), "{name}");
            assert_eq!(
                (found.mtime(), found.mtime_nsec()),
                (1_000_000_000, 123_456_789),
                "{name}"
            );
            if name != "symlink" {
                assert_eq!(found.mode() & 0o7777, 0o640, "{name}");
            }
        }
        let kind = |name: &str| {
            std::fs::symlink_metadata(root.join(name))
                .unwrap()
                .file_type()
        };
        assert!(kind("fifo").is_fifo() && kind("socket").is_socket());
        assert!(kind("char").is_char_device() && kind("block").is_block_device());
        let link = existing(&target, &TargetPath::root(), b"symlink");
        assert_eq!(link.kind, ExistingKind::Symlink(b"nowhere/\xff".to_vec()));
        let device = existing(&target, &TargetPath::root(), b"char");
        assert_eq!(
            device.kind,
            ExistingKind::CharDevice(rustix::fs::makedev(1, 3))
        );
        assert_eq!(names(&root).len(), 5);
    }
}

#[test]
fn a_special_entry_replaces_what_has_its_name() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("a"), "file").unwrap();
        std::fs::create_dir(root.join("b")).unwrap();
        std::fs::create_dir_all(root.join("c/full")).unwrap();
        let mut link = node(NodeKind::Symlink);
        link.link_target = b"x".to_vec();
        let all = Attributes::default();
        target
            .create_special(&path("a"), &link, Place::Taken, &all)
            .unwrap();
        target
            .create_special(&path("b"), &link, Place::EmptyDir, &all)
            .unwrap();
        let refused = target.create_special(&path("c"), &link, Place::EmptyDir, &all);
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::NotEmpty);
        let refused = target.create_special(&path("a"), &link, Place::Free, &all);
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Exists);
        assert_eq!(names(&root), ["a", "b", "c"]);
    }
}

#[test]
fn t27_hard_links_are_one_file() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        target.create_dir(&path("d")).unwrap();
        write(&target, &path("one"), b"x", Place::Free).unwrap();
        std::fs::write(root.join("d/taken"), "old").unwrap();
        target
            .link(&path("one"), &path("d/two"), Place::Free)
            .unwrap();
        target
            .link(&path("one"), &path("d/taken"), Place::Taken)
            .unwrap();
        // A link to the same file again leaves no partial name behind.
        target
            .link(&path("one"), &path("d/two"), Place::Taken)
            .unwrap();
        assert_eq!(std::fs::metadata(root.join("one")).unwrap().nlink(), 3);
        assert_eq!(names(&root.join("d")), ["taken", "two"]);
        let refused = target.link(&path("one"), &path("d/two"), Place::Free);
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Exists);
        assert_eq!(names(&root.join("d")), ["taken", "two"]);
    }
}

#[test]
fn a_hard_link_to_a_link_does_not_follow_it() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        target
            .link(&path("link"), &path("other"), Place::Free)
            .unwrap();
        assert_eq!(
            std::fs::metadata(folder.path().join("secret"))
                .unwrap()
                .nlink(),
            1
        );
        drop(root);
    }
}

#[test]
fn an_unknown_kind_is_said_to_be_unknown() {
    let (_folder, target) = targets().remove(0);
    let odd = node(NodeKind::Other("irregular".into()));
    let refused = target.create_special(&path("odd"), &odd, Place::Free, &Attributes::default());
    assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Unsupported);
}
