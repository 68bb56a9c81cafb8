use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use strongroom_repository::format::NodeKind;
use strongroom_repository::restore::{
    Attributes, Basis, Place, Target, TargetErrorKind, TargetPath, partial_name,
};
use strongroom_source::files::target::DirectoryTarget;

use crate::{bytes, existing, names, new_file, node, path, targets, write};

#[test]
fn t29_a_file_appears_under_its_name_only_when_it_is_whole() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "old").unwrap();
        let file = target
            .create_file(&path("f"), &new_file(6, Basis::Nothing, Place::Taken))
            .unwrap();
        file.write_at(3, b"def").unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"old");
        let partial = String::from_utf8(partial_name(b"f")).unwrap();
        assert_eq!(names(&root), [partial, "f".into()]);
        file.write_at(0, b"abc").unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"abcdef");
        assert_eq!(names(&root), ["f"]);
    }
}

#[test]
fn t29_a_file_that_fails_leaves_the_old_one_and_no_trace() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "old").unwrap();
        let file = target
            .create_file(&path("f"), &new_file(6, Basis::Nothing, Place::Taken))
            .unwrap();
        file.write_at(0, b"abc").unwrap();
        drop(file);
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"old");
        assert_eq!(names(&root), ["f"]);
    }
}

#[test]
fn a_file_is_cut_or_lengthened_to_its_size() {
    for (folder, target) in targets() {
        let file = target
            .create_file(
                &path("long"),
                &new_file(10_000, Basis::Nothing, Place::Free),
            )
            .unwrap();
        file.write_at(0, b"x").unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        let content = std::fs::read(folder.path().join("target/long")).unwrap();
        assert_eq!(
            (content.len(), content[0], content[9_999]),
            (10_000, b'x', 0)
        );
        let old = existing(&target, &TargetPath::root(), b"long");
        let file = target
            .create_file(
                &path("long"),
                &new_file(2, Basis::InPlace(old), Place::Taken),
            )
            .unwrap();
        file.write_at(1, b"y").unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert_eq!(
            std::fs::read(folder.path().join("target/long")).unwrap(),
            b"xy"
        );
    }
}

#[test]
fn unchanged_ranges_are_copied_from_the_old_file() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        let mut content = vec![7; 300_000];
        std::fs::write(root.join("f"), &content).unwrap();
        let old = existing(&target, &TargetPath::root(), b"f");
        let basis = Basis::Copy(old, vec![0..100_000, 200_000..300_000]);
        let file = target
            .create_file(&path("f"), &new_file(content.len(), basis, Place::Taken))
            .unwrap();
        content[100_000..200_000].fill(8);
        file.write_at(100_000, &content[100_000..200_000]).unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert!(std::fs::read(root.join("f")).unwrap() == content);
    }
}

#[test]
fn t29_a_file_written_in_place_is_not_under_its_name_meanwhile() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "aaabbb").unwrap();
        let inode = std::fs::metadata(root.join("f")).unwrap().ino();
        let old = existing(&target, &TargetPath::root(), b"f");
        let file = target
            .create_file(&path("f"), &new_file(6, Basis::InPlace(old), Place::Taken))
            .unwrap();
        file.write_at(3, b"ccc").unwrap();
        assert!(!root.join("f").exists());
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"aaaccc");
        let metadata = std::fs::metadata(root.join("f")).unwrap();
        assert_eq!((metadata.ino(), metadata.mode() & 0o7777), (inode, 0o640));
    }
}

#[test]
fn t29_a_file_in_place_that_fails_is_found_again_by_the_next_restore() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "aaabbb").unwrap();
        let old = existing(&target, &TargetPath::root(), b"f");
        let spec = new_file(6, Basis::InPlace(old), Place::Taken);
        let file = target.create_file(&path("f"), &spec).unwrap();
        file.write_at(3, b"ccc").unwrap();
        drop(file);
        let listing = target.list(&TargetPath::root()).unwrap();
        assert!(listing.entries.is_empty());
        let [left] = &listing.leftovers[..] else {
            panic!("{listing:?}")
        };
        let spec = new_file(6, Basis::Leftover(left.clone()), Place::Free);
        let file = target.create_file(&path("f"), &spec).unwrap();
        file.write_at(0, b"ddd").unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"dddccc");
        assert_eq!(names(&root), ["f"]);
    }
}

#[test]
fn a_file_in_place_that_was_not_written_gets_name_and_mode_back() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "aaabbb").unwrap();
        std::fs::set_permissions(root.join("f"), std::fs::Permissions::from_mode(0o444)).unwrap();
        let old = existing(&target, &TargetPath::root(), b"f");
        let spec = new_file(6, Basis::InPlace(old), Place::Taken);
        drop(target.create_file(&path("f"), &spec).unwrap());
        assert_eq!(names(&root), ["f"]);
        let mode = std::fs::metadata(root.join("f")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o444);
    }
}

#[test]
fn a_file_that_changed_since_the_plan_is_not_written_over() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::write(root.join("f"), "aaabbb").unwrap();
        let old = existing(&target, &TargetPath::root(), b"f");
        std::fs::write(root.join("f"), "somebody's work").unwrap();
        for basis in [
            Basis::InPlace(old.clone()),
            Basis::Copy(old.clone(), vec![0..1, 2..3]),
        ] {
            let refused = target.create_file(&path("f"), &new_file(6, basis, Place::Taken));
            assert_eq!(refused.err().unwrap().kind, TargetErrorKind::Changed);
        }
        assert_eq!(std::fs::read(root.join("f")).unwrap(), b"somebody's work");
        assert_eq!(names(&root), ["f"]);
    }
}

#[test]
fn what_appears_where_nothing_was_stays() {
    for (folder, target) in targets() {
        let file = target
            .create_file(&path("f"), &new_file(3, Basis::Nothing, Place::Free))
            .unwrap();
        file.write_at(0, b"new").unwrap();
        std::fs::write(folder.path().join("target/f"), "theirs").unwrap();
        let refused = file.finish(&node(NodeKind::File), &Attributes::default());
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Exists);
        assert_eq!(
            std::fs::read(folder.path().join("target/f")).unwrap(),
            b"theirs"
        );
        assert_eq!(names(&folder.path().join("target")), ["f"]);
    }
}

#[test]
fn an_empty_directory_gives_way_to_a_file_and_a_full_one_does_not() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        std::fs::create_dir_all(root.join("full/inside")).unwrap();
        std::fs::create_dir(root.join("empty")).unwrap();
        write(&target, &path("empty"), b"file", Place::EmptyDir).unwrap();
        let refused = write(&target, &path("full"), b"file", Place::EmptyDir);
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::NotEmpty);
        assert!(root.join("full/inside").is_dir());
        assert_eq!(names(&root), ["empty", "full"]);
    }
}

#[test]
fn zeros_become_holes_and_read_as_zeros() {
    for (folder, target) in targets() {
        let size = 8 << 20;
        let mut spec = new_file(size, Basis::Nothing, Place::Free);
        spec.sparse = true;
        let file = target.create_file(&path("sparse"), &spec).unwrap();
        let mut content = vec![0; size];
        content[5 << 20] = 1;
        file.write_at(0, &content).unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        let sparse = folder.path().join("target/sparse");
        assert!(std::fs::read(&sparse).unwrap() == content);
        assert!(std::fs::metadata(&sparse).unwrap().blocks() * 512 < 1 << 20);

        // In place of other bytes a hole has to be made.
        let old = existing(&target, &TargetPath::root(), b"sparse");
        let spec = new_file(size, Basis::InPlace(old), Place::Taken);
        let file = target.create_file(&path("sparse"), &spec).unwrap();
        file.zero_at((5 << 20) - 100, 300).unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        assert!(std::fs::read(&sparse).unwrap() == vec![0; size]);
    }
}

#[test]
fn t29_two_restores_into_one_place_never_give_a_half_written_file_its_name() {
    for (folder, target) in targets() {
        let spec = new_file(6, Basis::Nothing, Place::Free);
        let first = target.create_file(&path("f"), &spec).unwrap();
        first.write_at(0, b"abcdef").unwrap();
        let other = DirectoryTarget::new(target.location());
        let second = other.create_file(&path("f"), &spec).unwrap();
        second.write_at(0, b"abc").unwrap();
        let refused = first.finish(&node(NodeKind::File), &Attributes::default());
        assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Changed);
        second.write_at(3, b"def").unwrap();
        second
            .finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
        let f = folder.path().join("target/f");
        assert_eq!(std::fs::read(f).unwrap(), b"abcdef");
        assert_eq!(names(&folder.path().join("target")), ["f"]);
    }
}

#[test]
fn many_files_can_be_unfinished_at_once() {
    let (folder, target) = targets().remove(0);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let count = usize::try_from(limit.current.unwrap_or(4096).min(4096)).unwrap() + 10;
    let files: Vec<_> = (0..count)
        .map(|i| {
            let spec = new_file(2, Basis::Nothing, Place::Free);
            let file = target.create_file(&path(&format!("f{i}")), &spec).unwrap();
            file.write_at(0, b"a").unwrap();
            file
        })
        .collect();
    for file in files {
        file.write_at(1, b"b").unwrap();
        file.finish(&node(NodeKind::File), &Attributes::default())
            .unwrap();
    }
    assert_eq!(names(&folder.path().join("target")).len(), count);
    assert_eq!(
        std::fs::read(folder.path().join("target/f0")).unwrap(),
        b"ab"
    );
}

#[test]
fn t31_paths_may_be_longer_than_the_system_takes_at_once() {
    for (_folder, target) in targets() {
        let mut dir = TargetPath::root();
        for _ in 0..40 {
            dir = dir.join(&[b'd'; 200]).unwrap();
            target.create_dir(&dir).unwrap();
        }
        let file = dir.join(b"deep").unwrap();
        assert!(file.as_bytes().len() > 8000);
        write(&target, &file, b"found", Place::Free).unwrap();
        // Another target, so that no directory is open yet.
        let again = DirectoryTarget::new(target.location());
        let mut buffer = [0; 10];
        assert_eq!(
            again.read(&file).unwrap().read_at(0, &mut buffer).unwrap(),
            5
        );
        // The folder cannot be removed by path either.
        again.remove_entry(&file).unwrap();
        while !dir.is_root() {
            again.remove_dir(&dir).unwrap();
            dir = dir.split().unwrap().0;
        }
    }
}

#[test]
fn t31_hostile_names_are_names_like_others() {
    for (folder, target) in targets() {
        let hostile: Vec<Vec<u8>> = [
            &b"new\nline"[..],
            b"quote\"'`",
            b"$(touch x)",
            b"\xe2\x80\xaertl",
            b"\xff\xfe",
            b"-rf",
            b"[a]*?",
            b"~",
            b"back\\slash",
            b" ",
            b"...",
            b"\x1b[31m",
            &[b'n'; 255],
        ]
        .map(<[u8]>::to_vec)
        .to_vec();
        for name in &hostile {
            write(&target, &bytes(name), name, Place::Free).unwrap();
        }
        let listing = target.list(&TargetPath::root()).unwrap();
        assert_eq!(listing.entries.len(), hostile.len());
        for name in &hostile {
            let mut content = vec![0; 300];
            let length = target
                .read(&bytes(name))
                .unwrap()
                .read_at(0, &mut content)
                .unwrap();
            assert_eq!(&content[..length], &name[..]);
        }
        drop(folder);
    }
}

#[test]
fn a_target_that_is_a_file_or_missing_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for place in [file.clone(), file.join("below")] {
        let target = DirectoryTarget::new(&place);
        assert_eq!(
            target.exists().unwrap_err().kind,
            TargetErrorKind::NotADirectory
        );
        assert_eq!(
            target.create().unwrap_err().kind,
            TargetErrorKind::NotADirectory
        );
    }
    let missing = DirectoryTarget::new(folder.path().join("a/b/c"));
    assert!(!missing.exists().unwrap());
    assert!(missing.available_bytes().unwrap().unwrap() > 0);
    missing.create().unwrap();
    assert!(missing.exists().unwrap());
    missing.create().unwrap();

    symlink(folder.path().join("a"), folder.path().join("link")).unwrap();
    assert!(
        DirectoryTarget::new(folder.path().join("link"))
            .exists()
            .unwrap()
    );
}
