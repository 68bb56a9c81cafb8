//! Every kind of entry is in the backup with all that the file system knows of it (T-27): what a kind loses here, no
//! restore brings back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use strongroom_repository::format::{Mode, NodeKind};
use strongroom_testkit::source_suite::walk;
use strongroom_testkit::{Corpus, Part};

use crate::inside;

/// Everything below a folder, by its path in the snapshot, as the standard library sees it.
fn on_disk(folder: &Path, above: &[u8], seen: &mut BTreeMap<Vec<u8>, fs::Metadata>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = std::os::unix::ffi::OsStrExt::as_bytes(path.file_name().unwrap());
        let inside = [above, b"/", name].concat();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            on_disk(&path, &inside, seen);
        }
        seen.insert(inside, metadata);
    }
}

#[test]
fn t27_every_entry_is_there_with_mode_owner_times_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    Corpus::small(11).grow(folder.path()).unwrap();
    let walked = walk(&inside(folder.path(), |options| options.with_atime = true)).without_errors();
    let mut expected = BTreeMap::new();
    on_disk(folder.path(), b"", &mut expected);
    assert!(
        walked.found.keys().eq(expected.keys()),
        "an entry is missing or too many"
    );
    let mut kinds = BTreeMap::new();
    for (path, metadata) in &expected {
        let node = &walked.found[path].node;
        let shown = String::from_utf8_lossy(path);
        *kinds.entry(format!("{:?}", node.kind)).or_insert(0) += 1;
        assert_eq!(node.mode, Mode::from_unix(metadata.mode()), "{shown}");
        assert_eq!(
            (node.uid, node.gid),
            (metadata.uid(), metadata.gid()),
            "{shown}"
        );
        assert_eq!(
            (node.inode, node.device_id),
            (metadata.ino(), metadata.dev()),
            "{shown}"
        );
        for (time, seconds, nanoseconds) in [
            (node.mtime, metadata.mtime(), metadata.mtime_nsec()),
            (node.ctime, metadata.ctime(), metadata.ctime_nsec()),
        ] {
            assert_eq!(time.unix_seconds(), seconds, "{shown}");
            assert_eq!(i64::from(time.nanosecond()), nanoseconds, "{shown}");
        }
        match node.kind {
            NodeKind::Dir | NodeKind::Fifo | NodeKind::Socket => {
                assert_eq!(node.links, 0, "{shown}")
            }
            _ => assert_eq!(node.links, metadata.nlink(), "{shown}"),
        }
        match node.kind {
            NodeKind::File => assert_eq!(node.size_bytes, metadata.len(), "{shown}"),
            _ => assert_eq!(node.size_bytes, 0, "{shown}"),
        }
        if matches!(node.kind, NodeKind::BlockDevice | NodeKind::CharDevice) {
            assert_eq!(node.device, metadata.rdev(), "{shown}");
        }
    }
    for kind in [
        "File",
        "Dir",
        "Symlink",
        "Fifo",
        "Socket",
        "CharDevice",
        "BlockDevice",
    ] {
        assert!(kinds.contains_key(kind), "no {kind} among {kinds:?}");
    }
}

#[test]
fn t27_attributes_and_access_lists_are_there_in_the_order_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    Corpus::of(5, &[Part::Xattrs, Part::Acls])
        .grow(folder.path())
        .unwrap();
    let walked = walk(&inside(folder.path(), |_| {})).without_errors();
    let names = |path: &str| -> Vec<String> {
        let attributes = &walked.at(path).node.extended_attributes;
        attributes
            .iter()
            .map(|attribute| attribute.name.clone())
            .collect()
    };
    assert_eq!(names("/xattrs/many").len(), 40);
    assert!(names("/xattrs/file").contains(&"trusted.vault".to_owned()));
    assert_eq!(names("/xattrs/pointer"), ["trusted.vault"]);
    assert_eq!(names("/acls/file"), ["system.posix_acl_access"]);
    let mut of_folder = names("/acls/folder");
    of_folder.sort();
    assert_eq!(
        of_folder,
        ["system.posix_acl_access", "system.posix_acl_default"]
    );
    let large = &walked.at("/xattrs/large").node.extended_attributes;
    assert_eq!(large[0].value.len(), 3000);
    let value = |name: &str| {
        let attributes = &walked.at("/xattrs/file").node.extended_attributes;
        attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .unwrap()
            .value
            .clone()
    };
    assert_eq!(value("user.empty"), b"");
    assert_eq!(value("user.binary"), b"\x00\xff\n\"");
}

#[test]
fn contents_are_read_whole_with_holes_as_zeros() {
    let folder = tempfile::tempdir().unwrap();
    Corpus::of(
        9,
        &[Part::Files, Part::Sparse, Part::HardLinks, Part::Names],
    )
    .grow(folder.path())
    .unwrap();
    let walked = walk(&inside(folder.path(), |_| {})).without_errors();
    let mut expected = BTreeMap::new();
    on_disk(folder.path(), b"", &mut expected);
    let mut files = 0;
    for found in walked
        .found
        .values()
        .filter(|found| found.node.kind == NodeKind::File)
    {
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&found.source_path);
        assert!(
            found.content.as_ref() == Some(&fs::read(path).unwrap()),
            "{path:?}"
        );
        files += 1;
    }
    assert_eq!(
        files,
        expected
            .values()
            .filter(|metadata| metadata.is_file())
            .count()
    );
}

#[test]
fn reading_leaves_the_time_of_the_last_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (folder.path().join("dir/file"), folder.path().join("dir"));
    fs::create_dir(&dir).unwrap();
    fs::write(&file, "content").unwrap();
    let long_ago = fs::FileTimes::new().set_accessed(std::time::UNIX_EPOCH);
    for path in [&file, &dir] {
        fs::File::open(path).unwrap().set_times(long_ago).unwrap();
    }
    walk(&inside(folder.path(), |_| {})).without_errors();
    for path in [&file, &dir] {
        assert_eq!(fs::metadata(path).unwrap().atime(), 0, "{path:?}");
    }
}
