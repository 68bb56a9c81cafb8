use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use strongroom_repository::format::{ExtendedAttribute, Mode, NodeKind, Time};
use strongroom_repository::restore::{
    AttributeFilter, Attributes, Basis, OwnerPolicy, Place, Target, TargetErrorKind, TimePolicy,
};

use crate::{names, new_file, node, path, targets, write};

fn attribute(name: &str, value: &[u8]) -> ExtendedAttribute {
    ExtendedAttribute {
        name: name.into(),
        value: value.to_vec(),
    }
}

fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1000];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

#[test]
fn owner_mode_times_and_extended_attributes_are_those_of_the_node() {
    for (folder, target) in targets() {
        let mut wanted = node(NodeKind::File);
        wanted.mode = Mode(0o555 | 1 << 23 | 1 << 22);
        (wanted.uid, wanted.gid) = (1234, 4321);
        wanted.atime = Time::utc(jiff::Timestamp::new(-5, 500).unwrap());
        wanted.extended_attributes =
            vec![attribute("user.a", b"1"), attribute("trusted.b", b"\0\xff")];
        let file = target
            .create_file(&path("f"), &new_file(0, Basis::Nothing, Place::Free))
            .unwrap();
        file.finish(&wanted, &Attributes::default()).unwrap();
        let f = folder.path().join("target/f");
        let found = std::fs::metadata(&f).unwrap();
        assert_eq!(
            (found.uid(), found.gid(), found.mode() & 0o7777),
            (1234, 4321, 0o6555)
        );
        assert_eq!(
            (found.mtime(), found.mtime_nsec()),
            (1_000_000_000, 123_456_789)
        );
        assert_eq!((found.atime(), found.atime_nsec()), (-5, 500));
        assert_eq!(get(&f, "user.a").unwrap(), b"1");
        assert_eq!(get(&f, "trusted.b").unwrap(), b"\0\xff");

        // The same once more, on what exists, with attributes that do not belong there.
        set(&f, "user.strange", b"?");
        set(&f, "user.a", b"other");
        wanted.mode = Mode(0o600);
        target
            .set_attributes(&path("f"), &wanted, &Attributes::default())
            .unwrap();
        assert_eq!(get(&f, "user.strange"), None);
        assert_eq!(get(&f, "user.a").unwrap(), b"1");
        assert_eq!(std::fs::metadata(&f).unwrap().mode() & 0o7777, 0o600);
    }
}

#[test]
fn an_inherited_acl_does_not_stay_on_what_had_none() {
    for (folder, target) in targets() {
        let root = folder.path().join("target");
        let given = Command::new("setfacl")
            .args(["-d", "-m", "u:1234:rwx"])
            .arg(&root)
            .status();
        assert!(given.unwrap().success());
        write(&target, &path("f"), b"x", Place::Free).unwrap();
        target.create_dir(&path("d")).unwrap();
        target
            .set_attributes(&path("d"), &node(NodeKind::Dir), &Attributes::default())
            .unwrap();
        for name in ["f", "d"] {
            let entry = root.join(name);
            assert_eq!(get(&entry, "system.posix_acl_access"), None, "{name}");
            assert_eq!(get(&entry, "system.posix_acl_default"), None, "{name}");
            assert_eq!(std::fs::metadata(&entry).unwrap().mode() & 0o7777, 0o640);
        }
    }
}

#[test]
fn the_filter_decides_which_extended_attributes_are_set_and_removed() {
    for (folder, target) in targets() {
        let f = folder.path().join("target/f");
        std::fs::write(&f, "x").unwrap();
        set(&f, "user.other", b"stays");
        let mut wanted = node(NodeKind::File);
        wanted.extended_attributes = vec![attribute("user.yes", b"1"), attribute("user.no", b"1")];
        let attributes = Attributes {
            extended: AttributeFilter::new(|name| name == "user.yes"),
            ..Attributes::default()
        };
        target
            .set_attributes(&path("f"), &wanted, &attributes)
            .unwrap();
        assert_eq!(get(&f, "user.yes").unwrap(), b"1");
        assert_eq!(get(&f, "user.no"), None);
        assert_eq!(get(&f, "user.other").unwrap(), b"stays");
    }
}

#[test]
fn owner_and_time_policies_decide() {
    for (folder, target) in targets() {
        let mut wanted = node(NodeKind::File);
        (wanted.uid, wanted.gid) = (1234, 4321);
        (wanted.user, wanted.group) = ("daemon".into(), "no such group".into());
        wanted.mode = Mode(0o755 | 1 << 23);
        let owner_of = |owner, name: &str| {
            std::fs::write(folder.path().join("target").join(name), "x").unwrap();
            let attributes = Attributes {
                owner,
                ..Attributes::default()
            };
            target
                .set_attributes(&path(name), &wanted, &attributes)
                .unwrap();
            let found = std::fs::metadata(folder.path().join("target").join(name)).unwrap();
            (found.uid(), found.gid(), found.mode() & 0o7777)
        };
        assert_eq!(owner_of(OwnerPolicy::Id, "id"), (1234, 4321, 0o4755));
        // `daemon` is user 1 on every Debian; a name that is not known here falls back to the number.
        assert_eq!(owner_of(OwnerPolicy::Name, "name"), (1, 4321, 0o4755));
        // A file that does not get its owner must not act as whoever has it now.
        assert_eq!(owner_of(OwnerPolicy::None, "none"), (0, 0, 0o755));
        let fixed = OwnerPolicy::Fixed {
            uid: Some(7),
            gid: None,
        };
        assert_eq!(owner_of(fixed, "fixed"), (7, 4321, 0o4755));

        let now = Attributes {
            times: TimePolicy::Now,
            ..Attributes::default()
        };
        std::fs::write(folder.path().join("target/now"), "x").unwrap();
        let before = std::fs::metadata(folder.path().join("target/now"))
            .unwrap()
            .mtime();
        target.set_attributes(&path("now"), &wanted, &now).unwrap();
        assert_eq!(
            std::fs::metadata(folder.path().join("target/now"))
                .unwrap()
                .mtime(),
            before
        );
    }
}

#[test]
fn t30_an_immutable_file_is_reported_as_such() {
    let (folder, target) = targets().remove(0);
    let root = folder.path().join("target");
    std::fs::write(root.join("f"), "fixed").unwrap();
    let chattr = |flag: &str| {
        Command::new("chattr")
            .arg(flag)
            .arg(root.join("f"))
            .status()
    };
    assert!(chattr("+i").unwrap().success());
    let written = write(&target, &path("f"), b"new", Place::Taken);
    let removed = target.remove_entry(&path("f"));
    assert!(chattr("-i").unwrap().success());
    assert_eq!(written.unwrap_err().kind, TargetErrorKind::Immutable);
    assert_eq!(removed.unwrap_err().kind, TargetErrorKind::Immutable);
    assert_eq!(std::fs::read(root.join("f")).unwrap(), b"fixed");
    assert_eq!(names(&root), ["f"]);
}
