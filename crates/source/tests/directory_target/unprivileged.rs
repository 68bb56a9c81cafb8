//! What a user without privilege meets. The tests run themselves again as such a user.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_repository::format::{ExtendedAttribute, Mode, NodeKind};
use strongroom_repository::restore::{Attributes, Basis, Place, Target, TargetErrorKind};
use strongroom_source::files::target::DirectoryTarget;

use crate::{new_file, node, path, write};

const NOBODY: u32 = 65_534;
const FOLDER: &str = "STRONGROOM_TEST_FOLDER";

/// Runs the test of that name as nobody, with a folder of his own. Returns the folder when this is that run.
fn as_nobody(test: &str) -> Option<PathBuf> {
    if let Ok(folder) = std::env::var(FOLDER) {
        return Some(folder.into());
    }
    if !rustix::process::geteuid().is_root() {
        return Some(tempfile::tempdir().unwrap().keep());
    }
    // The executable lies where others may not look, so a copy of it is run.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    for place in [folder.path(), &program, &work] {
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
        chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let output = Command::new(&program)
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, &work)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{output:?}"
    );
    None
}

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
    assert_eq!((found.uid(), found.mode() & 0o7777), (NOBODY, 0o555));

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
