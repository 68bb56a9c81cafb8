//! What restic wrote is read, and written again by us has the same bytes. If it had not, both programs would name the
//! same directory differently and nothing would be deduplicated between them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use reader::{Reader, fixture, restic};
use strongroom_repository::format::index::{self, IndexEncoder};
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::format::{
    BlobKind, Id, KeyFile, Lock, NodeKind, RepositoryVersion, Snapshot, Tree,
};

fn assert_same(what: &str, ours: &[u8], restics: &[u8]) {
    let (ours, restics) = (
        String::from_utf8_lossy(ours),
        String::from_utf8_lossy(restics),
    );
    assert!(ours == restics, "{what}:\n ours: {ours}\nrestic: {restics}");
}

/// Decodes and encodes everything in a repository. Returns its trees.
fn assert_keeps_bytes(repository: &Path, password: &str) -> BTreeMap<Id, Tree> {
    let reader = Reader::open(repository, password);
    for (_, json) in reader::files(&repository.join("keys")) {
        assert_same("key", &KeyFile::decode(&json).unwrap().encode(), &json);
    }
    let config = reader
        .key
        .open(&fs::read(repository.join("config")).unwrap())
        .unwrap();
    assert_same("config", &reader.config.encode(), &config);
    for (_, json) in reader.unpacked("locks") {
        assert_same("lock", &Lock::decode(&json).unwrap().encode(), &json);
    }
    let mut indexed: BTreeMap<Id, Vec<PackedBlob>> = BTreeMap::new();
    for (_, json) in reader.unpacked("index") {
        let mut packs: Vec<(Id, Vec<PackedBlob>)> = Vec::new();
        index::decode(&json, |pack, blob| match packs.last_mut() {
            Some((last, blobs)) if last == pack => blobs.push(blob),
            _ => packs.push((*pack, vec![blob])),
        })
        .unwrap();
        let mut encoder = IndexEncoder::new();
        for (pack, blobs) in packs {
            encoder.pack(&pack, &blobs);
            indexed.entry(pack).or_default().extend(blobs);
        }
        assert_same("index", &encoder.finish(), &json);
    }
    for blobs in indexed.values_mut() {
        blobs.sort_by_key(|blob| blob.offset);
    }
    assert_eq!(indexed, reader.packs(), "index and pack headers differ");
    assert_snapshots_and_trees_keep_bytes(&reader);
    reader.trees()
}

fn assert_snapshots_and_trees_keep_bytes(reader: &Reader) {
    for (_, json) in reader.unpacked("snapshots") {
        let snapshot = Snapshot::decode(&json).unwrap();
        assert_same("snapshot", &snapshot.encode(), &json);
    }
    for json in reader.blobs(BlobKind::Tree).values() {
        let tree = Tree::decode(json).unwrap();
        // Early releases could not keep a link target that is not UTF-8: they wrote this in its place, and escaped it.
        let plain = |json: &[u8]| String::from_utf8_lossy(json).replace(r"\ufffd", "\u{fffd}");
        let (ours, restics) = (plain(&tree.encode().unwrap()), plain(json));
        assert_same("tree", ours.as_bytes(), restics.as_bytes());
    }
}

/// A directory that did not change since a backup by an older release would be stored anew, and a change of tags would
/// lose what that release had written.
#[test]
fn what_any_release_wrote_keeps_its_bytes() {
    let testdata = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata"));
    let mut repositories = 0;
    for release in fs::read_dir(testdata).unwrap() {
        for version in ["v1", "v2"] {
            let repository = release.as_ref().unwrap().path().join(version);
            // It escaped the byte 7F in names otherwise than all later ones, which read it all the same.
            let is_too_old = repository.ends_with("restic-0.11.0/v1");
            if repository.is_dir() && !is_too_old {
                assert_snapshots_and_trees_keep_bytes(&Reader::open(&repository, "fixture"));
                repositories += 1;
            }
        }
    }
    assert!(repositories >= 10, "{repositories}");
}

#[test]
fn what_restic_wrote_in_both_versions_keeps_its_bytes() {
    for (name, version) in [("v1", RepositoryVersion::V1), ("v2", RepositoryVersion::V2)] {
        let repository = fixture(name);
        let trees = assert_keeps_bytes(&repository, "fixture");
        let nodes: Vec<_> = trees.values().flat_map(|tree| &tree.nodes).collect();
        let kinds: BTreeSet<_> = nodes.iter().map(|node| node.kind.as_str()).collect();
        let all = ["chardev", "dev", "dir", "fifo", "file", "symlink"];
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
        for node in nodes {
            assert_eq!(node.mode.kind(), node.kind, "{node:?}");
            assert_eq!(
                strongroom_repository::format::Mode::from_unix(node.mode.to_unix()),
                node.mode
            );
        }
        let reader = Reader::open(&repository, "second");
        assert_eq!(reader.config.version, version);
        assert_eq!(reader.unpacked("locks").len(), 1);
        assert_eq!(reader.unpacked("snapshots").len(), 2);
        let data = reader.blobs(BlobKind::Data);
        assert!(
            data.contains_key(&Id::of(b"changed")) && data.contains_key(&Id::of(&[0; 100_000]))
        );
    }
}

/// Restores would put a file under another name, or restic and we would store every such directory twice.
#[test]
fn names_with_every_code_point_and_every_byte_are_escaped_as_restic_does_it() {
    let temporary = tempfile::tempdir().unwrap();
    let (repository, source) = (
        temporary.path().join("repository"),
        temporary.path().join("source"),
    );
    fs::create_dir(&source).unwrap();
    let code_points: Vec<char> = ('\u{1}'..=char::MAX)
        .filter(|character| *character != '/')
        .collect();
    let bytes: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    let mut names: Vec<Vec<u8>> = code_points
        .chunks(50)
        .map(|part| format!("n{}", String::from_iter(part)).into_bytes())
        .collect();
    // Every byte alone, before a continuation byte, and behind the beginning of a longer sequence.
    for byte in bytes {
        names.extend([
            vec![byte, b'.', byte],
            vec![byte, 0x80, b'x'],
            vec![0xe2, 0x80, byte],
            vec![0xed, byte, 0x80],
        ]);
    }
    let names: BTreeSet<Vec<u8>> = names.into_iter().filter(|name| name != b"...").collect();
    for name in &names {
        fs::write(source.join(OsStr::from_bytes(name)), "").unwrap();
    }
    restic(&repository, &["init"]);
    restic(
        &repository,
        &["backup", "--quiet", source.to_str().unwrap()],
    );
    let trees = assert_keeps_bytes(&repository, "test");
    let tree = trees.values().find(|tree| tree.nodes.len() > 1).unwrap();
    let read: BTreeSet<_> = tree.nodes.iter().map(|node| node.name.clone()).collect();
    assert_eq!(read, names);
    assert!(
        tree.nodes
            .iter()
            .all(|node| node.kind == NodeKind::File && node.content == Some(Vec::new()))
    );
}
