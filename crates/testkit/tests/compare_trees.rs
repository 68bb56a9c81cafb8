//! A comparison that overlooks a difference would let every restore test pass over a loss. So each kind of
//! difference is made here, one at a time, between two trees that are the same otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use strongroom_testkit::{CompareOptions, assert_same_trees, compare_trees};

struct Pair {
    _dir: tempfile::TempDir,
    a: PathBuf,
    b: PathBuf,
}

impl Pair {
    /// Two trees that are the same.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pair = Self {
            a: dir.path().join("a"),
            b: dir.path().join("b"),
            _dir: dir,
        };
        plant(&pair.a);
        plant(&pair.b);
        pair
    }

    /// What compare_trees says, as text, with everything switched on.
    fn differences(&self) -> String {
        let options = CompareOptions {
            sparse: true,
            ..CompareOptions::default()
        };
        compare_trees(&self.a, &self.b, &options)
            .unwrap()
            .to_string()
    }

    #[track_caller]
    fn only(&self, expected: &str) {
        assert_eq!(self.differences(), format!("{expected}\n"));
    }
}

fn plant(root: &Path) {
    fs::create_dir_all(root.join("folder/empty")).unwrap();
    fs::write(root.join("folder/file"), b"some content").unwrap();
    fs::write(root.join("linked"), b"one file").unwrap();
    fs::hard_link(root.join("linked"), root.join("linked too")).unwrap();
    symlink("file", root.join("folder/pointer")).unwrap();
    for (name, kind) in [("fifo", FileType::Fifo), ("socket", FileType::Socket)] {
        rustix::fs::mknodat(CWD, root.join(name), kind, Mode::from_raw_mode(0o644), 0).unwrap();
    }
    for path in [
        "folder/empty",
        "folder/file",
        "folder/pointer",
        "folder",
        "linked",
        "fifo",
        "socket",
        "",
    ] {
        set_time(&root.join(path), 1_000_000_000, 123_456_789);
    }
}

fn set_time(path: &Path, tv_sec: i64, tv_nsec: i64) {
    let time = Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path.as_os_str(), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Makes a change without leaving a trace in the time of the directory.
fn quietly(pair: &Pair, folder: &str, change: impl FnOnce(&Path)) {
    change(&pair.b.join(folder));
    set_time(&pair.b.join(folder), 1_000_000_000, 123_456_789);
}

#[test]
fn equal_trees_are_equal() {
    let pair = Pair::new();
    assert_eq!(pair.differences(), "");
    assert_same_trees(&pair.a, &pair.b, &CompareOptions::default());
}

#[test]
#[should_panic(expected = "1 differences")]
fn a_difference_fails_a_test() {
    let pair = Pair::new();
    set_time(&pair.b, 1, 1);
    assert_same_trees(&pair.a, &pair.b, &CompareOptions::default());
}

#[test]
fn entries_of_one_tree_alone() {
    let pair = Pair::new();
    quietly(&pair, "folder", |folder| {
        fs::remove_dir(folder.join("empty")).unwrap()
    });
    quietly(&pair, "", |root| {
        fs::write(root.join("new\n\u{e9}"), b"").unwrap()
    });
    let seen = pair.differences();
    assert!(
        seen.contains("\"folder/empty\": only in the first tree"),
        "{seen}"
    );
    assert!(
        seen.contains("\"new\\n\\xc3\\xa9\": only in the second tree"),
        "{seen}"
    );
}

#[test]
fn names_are_bytes() {
    // Composed and decomposed é look the same.
    let pair = Pair::new();
    fs::write(pair.a.join("caf\u{e9}"), b"").unwrap();
    fs::write(pair.b.join("cafe\u{301}"), b"").unwrap();
    assert_eq!(pair.differences().matches("only in").count(), 2);
}

#[test]
fn another_type() {
    let pair = Pair::new();
    quietly(&pair, "folder", |folder| {
        fs::remove_dir(folder.join("empty")).unwrap();
        symlink("nowhere", folder.join("empty")).unwrap();
    });
    pair.only("\"folder/empty\": is Directory and Symlink");
}

#[test]
fn another_content_of_the_same_size_and_time() {
    let pair = Pair::new();
    quietly(&pair, "folder/file", |file| {
        fs::write(file, b"some c0ntent").unwrap()
    });
    pair.only("\"folder/file\": content differs from byte 6 on");
}

#[test]
fn another_content_far_behind() {
    let pair = Pair::new();
    for (root, last) in [(&pair.a, 1), (&pair.b, 2)] {
        let mut content = vec![0; 3 << 20];
        *content.last_mut().unwrap() = last;
        fs::write(root.join("folder/file"), content).unwrap();
        set_time(&root.join("folder/file"), 5, 5);
    }
    pair.only("\"folder/file\": content differs from byte 3145727 on");
}

#[test]
fn a_shorter_file() {
    let pair = Pair::new();
    quietly(&pair, "folder/file", |file| {
        fs::write(file, b"some").unwrap()
    });
    let seen = pair.differences();
    assert!(
        seen.contains("12 bytes and 4 bytes") && seen.contains("from byte 4 on"),
        "{seen}"
    );
}

#[test]
fn another_mode() {
    let pair = Pair::new();
    for (path, mode) in [("folder/file", 0o4755), ("folder/empty", 0o1777)] {
        for (root, extra) in [(&pair.a, 0), (&pair.b, mode & 0o7000)] {
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755 | extra))
                .unwrap();
        }
    }
    let seen = pair.differences();
    assert!(
        seen.contains("\"folder/file\": mode 0755 and 4755"),
        "{seen}"
    );
    assert!(
        seen.contains("\"folder/empty\": mode 0755 and 1755"),
        "{seen}"
    );
}

#[test]
fn another_nanosecond_of_a_file_a_folder_a_symlink_and_the_root() {
    for path in ["folder/file", "folder", "folder/pointer", ""] {
        let pair = Pair::new();
        set_time(&pair.b.join(path), 1_000_000_000, 123_456_788);
        pair.only(&format!(
            "\"{path}\": modified (1000000000, 123456789) and (1000000000, 123456788)"
        ));
    }
}

#[test]
fn another_link_target() {
    let pair = Pair::new();
    quietly(&pair, "folder", |folder| {
        fs::remove_file(folder.join("pointer")).unwrap();
        symlink("./file", folder.join("pointer")).unwrap();
        set_time(&folder.join("pointer"), 1_000_000_000, 123_456_789);
    });
    pair.only("\"folder/pointer\": points to \"file\" and \"./file\"");
}

#[test]
fn another_extended_attribute() {
    let pair = Pair::new();
    let set = |root: &Path, name: &str, value: &[u8]| {
        rustix::fs::lsetxattr(root.join("folder/file"), name, value, XattrFlags::empty()).unwrap();
    };
    set(&pair.a, "user.same", b"1");
    set(&pair.b, "user.same", b"1");
    set(&pair.a, "user.value", b"1");
    set(&pair.b, "user.value", b"\xff");
    set(&pair.a, "user.gone", b"");
    let seen = pair.differences();
    assert!(
        seen.contains("attribute user.value: \"1\" and \"\\xff\""),
        "{seen}"
    );
    assert!(
        seen.contains("attribute user.gone: \"\" and missing"),
        "{seen}"
    );
    assert!(!seen.contains("user.same"), "{seen}");
}

#[test]
fn another_access_list() {
    let pair = Pair::new();
    for (root, user) in [(&pair.a, "u:1234:r"), (&pair.b, "u:1235:r")] {
        let done = std::process::Command::new("setfacl")
            .arg("-m")
            .arg(user)
            .arg(root.join("folder"))
            .status();
        assert!(done.expect("setfacl (package acl)").success());
    }
    assert!(
        pair.differences()
            .contains("\"folder\": attribute system.posix_acl_access"),
        "{}",
        pair.differences()
    );
}

#[test]
fn a_hard_link_that_became_a_copy() {
    let pair = Pair::new();
    quietly(&pair, "", |root| {
        fs::remove_file(root.join("linked too")).unwrap();
        fs::write(root.join("linked too"), b"one file").unwrap();
    });
    set_time(&pair.b.join("linked too"), 1_000_000_000, 123_456_789);
    let seen = pair.differences();
    assert!(
        seen.contains("\"linked\": one file are \"linked\", \"linked too\" and \"linked\""),
        "{seen}"
    );
}

#[test]
fn a_hard_link_to_the_wrong_file() {
    let pair = Pair::new();
    for root in [&pair.a, &pair.b] {
        fs::write(root.join("other"), b"one file").unwrap();
        set_time(&root.join("other"), 1_000_000_000, 123_456_789);
    }
    fs::hard_link(pair.a.join("linked"), pair.a.join("third")).unwrap();
    fs::hard_link(pair.b.join("other"), pair.b.join("third")).unwrap();
    let seen = pair.differences();
    assert!(
        seen.contains("\"third\": one file are \"linked\", \"linked too\", \"third\" and"),
        "{seen}"
    );
}

#[test]
fn a_socket_counts_unless_left_out() {
    let pair = Pair::new();
    quietly(&pair, "", |root| {
        fs::remove_file(root.join("socket")).unwrap()
    });
    pair.only("\"socket\": only in the first tree");
    let options = CompareOptions {
        sockets: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&pair.a, &pair.b, &options);
}

#[test]
fn a_hole_that_was_filled() {
    let pair = Pair::new();
    for root in [&pair.a, &pair.b] {
        let file = fs::File::create(root.join("folder/file")).unwrap();
        file.set_len(4 << 20).unwrap();
        set_time(&root.join("folder/file"), 5, 5);
    }
    let file = fs::File::options()
        .write(true)
        .open(pair.b.join("folder/file"))
        .unwrap();
    file.write_all_at(&vec![0; 4 << 20], 0).unwrap();
    file.sync_all().unwrap();
    set_time(&pair.b.join("folder/file"), 5, 5);
    assert!(
        pair.differences().contains("bytes of disk"),
        "{}",
        pair.differences()
    );
}

#[test]
fn another_owner_and_another_device_number() {
    if !rustix::process::geteuid().is_root() {
        return; // Neither can be made by another user.
    }
    let pair = Pair::new();
    std::os::unix::fs::lchown(pair.b.join("folder/pointer"), Some(1234), Some(5678)).unwrap();
    for (root, minor) in [(&pair.a, 3), (&pair.b, 5)] {
        let device = rustix::fs::makedev(1, minor);
        rustix::fs::mknodat(
            CWD,
            root.join("device"),
            FileType::CharacterDevice,
            Mode::empty(),
            device,
        )
        .unwrap();
        set_time(&root.join("device"), 5, 5);
        set_time(root, 5, 5);
    }
    let seen = pair.differences();
    assert!(
        seen.contains("\"folder/pointer\": owner (0, 0) and (1234, 5678)"),
        "{seen}"
    );
    assert!(
        seen.contains("\"device\": device (1, 3) and (1, 5)"),
        "{seen}"
    );
}

#[test]
fn a_tree_that_cannot_be_read_is_an_error_and_no_equality() {
    let pair = Pair::new();
    assert!(compare_trees(&pair.a, &pair.b.join("missing"), &CompareOptions::default()).is_err());
    assert!(compare_trees(&pair.a.join("linked"), &pair.b, &CompareOptions::default()).is_err());
}

#[test]
fn what_is_switched_off_is_not_compared() {
    let pair = Pair::new();
    fs::set_permissions(
        pair.b.join("folder/file"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    rustix::fs::lsetxattr(
        pair.b.join("folder/file"),
        "user.a",
        b"",
        XattrFlags::empty(),
    )
    .unwrap();
    set_time(&pair.b.join("folder/file"), 1, 1);
    set_time(&pair.b, 1, 1);
    let options = CompareOptions {
        root: false,
        modes: false,
        times: false,
        xattrs: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&pair.a, &pair.b, &options);
}
