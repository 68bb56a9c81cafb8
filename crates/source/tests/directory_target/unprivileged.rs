//! What a user without privilege meets. The tests run themselves again as such a user.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use strongroom_repository::format::{ExtendedAttribute, Mode, NodeKind};
use strongroom_repository::restore::{Attributes, Basis, Place, Target, TargetErrorKind};
use strongroom_source::files::target::DirectoryTarget;

use strongroom_testkit::as_nobody;

use crate::{new_file, node, path, write};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn t30_read_only_files_and_directories_are_written_over() {
    let Some(folder) =
        as_nobody("unprivileged::t30_read_only_files_and_directories_are_written_over")
    else {
        return;
    };
    let target = DirectoryTarget::new(&folder);
    let dir = folder.join("d");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("f"), "old").unwrap();
    mode(&dir.join("f"), 0o000);
    mode(&dir, 0o555);
    assert_eq!(
        write(&target, &path("d/f"), b"new", Place::Taken)
            .unwrap_err()
            .kind,
        TargetErrorKind::Denied
    );
    target.unlock_dir(&path("d")).unwrap();
    write(&target, &path("d/f"), b"new", Place::Taken).unwrap();
    target.relock_dir(&path("d")).unwrap();
    assert_eq!(std::fs::metadata(&dir).unwrap().mode() & 0o7777, 0o555);
    assert_eq!(std::fs::read(dir.join("f")).unwrap(), b"new");
    mode(&dir, 0o755);
}

#[test]
fn what_only_root_may_set_is_counted_and_no_error() {
    let Some(folder) = as_nobody("unprivileged::what_only_root_may_set_is_counted_and_no_error")
    else {
        return;
    };
    let target = DirectoryTarget::new(&folder);
    let mut wanted = node(NodeKind::File);
    wanted.uid = 0;
    wanted.mode = Mode(0o555 | 1 << 23);
    wanted.extended_attributes = ["trusted.x", "user.y"]
        .map(|name| ExtendedAttribute {
            name: name.into(),
            value: b"1".to_vec(),
        })
        .to_vec();
    let file = target
        .create_file(&path("f"), &new_file(0, Basis::Nothing, Place::Free))
        .unwrap();
    let withheld = file.finish(&wanted, &Attributes::default()).unwrap();
    assert!(withheld.owner);
    assert_eq!(withheld.extended_attributes, 1);
    let found = std::fs::metadata(folder.join("f")).unwrap();
    // Not set-user-id: it would now run as this user.
    assert_eq!(
        (found.uid(), found.mode() & 0o7777),
        (rustix::process::geteuid().as_raw(), 0o555)
    );

    // The file is read-only now; its own attributes can be changed all the same.
    wanted.extended_attributes[1].value = b"2".to_vec();
    target
        .set_attributes(&path("f"), &wanted, &Attributes::default())
        .unwrap();
    let mut value = [0; 4];
    assert_eq!(
        rustix::fs::getxattr(folder.join("f"), "user.y", &mut value[..]),
        Ok(1)
    );
    assert_eq!(value[0], b'2');
    assert_eq!(
        std::fs::metadata(folder.join("f")).unwrap().mode() & 0o7777,
        0o555
    );
}

#[test]
fn attributes_are_set_on_what_cannot_be_opened() {
    let Some(folder) = as_nobody("unprivileged::attributes_are_set_on_what_cannot_be_opened")
    else {
        return;
    };
    let target = DirectoryTarget::new(&folder);
    for (name, kind) in [("f", NodeKind::File), ("d", NodeKind::Dir)] {
        if kind == NodeKind::Dir {
            std::fs::create_dir(folder.join(name)).unwrap();
        } else {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        mode(&folder.join(name), 0o000);
        target
            .set_attributes(&path(name), &node(kind), &Attributes::default())
            .unwrap();
        let found = std::fs::metadata(folder.join(name)).unwrap();
        assert_eq!(
            (found.mode() & 0o7777, found.mtime()),
            (0o640, 1_000_000_000)
        );
    }
}
