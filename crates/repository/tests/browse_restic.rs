//! Looking into snapshots beside the real restic: ls, find, diff and stats say the same of the same repository.
//!
//! Where they differ, a person who looks for a file believes that it is not in any backup.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::Value;
use strongroom_repository::Repository;
use strongroom_repository::diff::{DiffFigures, DiffOptions, diff};
use strongroom_repository::find::{FindOptions, ObjectQuery, find_entries, find_objects};
use strongroom_repository::index::Index;
use strongroom_repository::ls::{ListOptions, Listing};
use strongroom_repository::pattern::{Case, PatternList};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{OpenOptions, SnapshotFile};
use strongroom_repository::stats::{StatsMode, stats};
use strongroom_repository::walk::{Step, locate};
use strongroom_storage::LocalStorage;
use strongroom_testkit::{Corpus, Part, Random, Restic};
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "try-me";

struct Scene {
    _dir: tempfile::TempDir,
    tree: PathBuf,
    restic: Restic,
    repository: Repository,
    index: Arc<Index>,
    /// Oldest first.
    snapshots: Vec<SnapshotFile>,
}

/// Three snapshots of a tree that changes in all the ways that a comparison knows.
async fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault");
    let tree = dir.path().join("tree");
    let restic = Restic::new(&vault, PASSWORD);
    restic.init();
    fs::create_dir(&tree).unwrap();
    let parts = [
        Part::Files,
        Part::HardLinks,
        Part::Symlinks,
        Part::Names,
        Part::Dirs,
        Part::Modes,
        Part::Fifos,
    ];
    Corpus::of(7, &parts).grow(&tree.join("corpus")).unwrap();
    grow(&tree);
    restic.backup(&[&tree]);
    change(&tree);
    restic.backup(&[&tree]);
    fs::write(tree.join("only-metadata"), "same").unwrap();
    restic.backup(&[&tree]);
    let repository = open(&vault).await;
    let index = Arc::new(repository.load_index(&Silent).await.unwrap());
    let snapshots = repository.load_snapshots(&Silent).await.unwrap();
    assert_eq!(snapshots.len(), 3);
    Scene {
        _dir: dir,
        tree,
        restic,
        repository,
        index,
        snapshots,
    }
}

async fn open(vault: &Path) -> Repository {
    let password = SecretString::from(PASSWORD);
    let storage = Arc::new(LocalStorage::new(vault));
    Repository::open(storage, &password, &OpenOptions::default())
        .await
        .unwrap()
}

fn grow(tree: &Path) {
    let mut random = Random::new(3);
    for name in [
        "a/gone/deep/x.txt",
        "a/kept.txt",
        "a/turns",
        "only-metadata",
        "b/Photo.JPG",
        "b/equal/1",
    ] {
        let path = tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, random.text(3000)).unwrap();
    }
    fs::write(tree.join("only-metadata"), "same").unwrap();
    fs::write(tree.join("big"), random.bytes(3 << 20)).unwrap();
    fs::copy(tree.join("big"), tree.join("b/equal/big-again")).unwrap();
}

fn change(tree: &Path) {
    fs::remove_dir_all(tree.join("a/gone")).unwrap();
    fs::remove_file(tree.join("a/turns")).unwrap();
    fs::create_dir_all(tree.join("a/turns/into/directories")).unwrap();
    fs::create_dir_all(tree.join("new/one")).unwrap();
    fs::write(tree.join("new/one/file.txt"), "new").unwrap();
    fs::copy(tree.join("big"), tree.join("new/big-moved")).unwrap();
    fs::remove_file(tree.join("big")).unwrap();
    fs::write(tree.join("a/kept.txt"), "another content").unwrap();
}

/// As JSON has it: each byte that is no UTF-8 is U+FFFD.
fn text(path: &[u8]) -> String {
    let mut text = String::new();
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    text
}

fn lines(ran: &strongroom_testkit::Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    ran.stdout_text().lines().map(parse).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ls_lists_what_restic_lists() {
    let scene = scene().await;
    let root = scene.tree.to_str().unwrap();
    let snapshot = &scene.snapshots[1];
    let at = |path: &str| format!("{root}/{path}");
    for (directories, recursive) in [
        (vec![], false),
        (vec![at("a")], false),
        (vec![at("a")], true),
        (vec![at("corpus/names"), at("b/equal")], true),
        (vec![at("a"), at("new/one")], false),
        (vec!["/".to_owned()], false),
        (vec![at("nowhere")], true),
    ] {
        let mut arguments = vec!["ls".to_owned(), "--json".into(), snapshot.id.to_hex()];
        if recursive {
            arguments.push("--recursive".into());
        }
        arguments.extend(directories.iter().cloned());
        let theirs: Vec<(String, String)> = lines(&scene.restic.run(&arguments).ok())
            .iter()
            .filter(|line| line["message_type"] == "node")
            .map(|line| {
                (
                    line["path"].as_str().unwrap().into(),
                    line["type"].as_str().unwrap().into(),
                )
            })
            .collect();
        let options = ListOptions {
            directories: directories
                .iter()
                .map(|dir| dir.clone().into_bytes())
                .collect(),
            recursive,
        };
        let (repository, index) = (scene.repository.clone(), Arc::clone(&scene.index));
        let cancel = CancellationToken::new();
        let mut listing = Listing::new(repository, index, snapshot.snapshot.tree, options, cancel);
        let mut ours = Vec::new();
        while let Some(step) = listing.next().await.unwrap() {
            match step {
                Step::Entry(entry) => {
                    ours.push((text(&entry.path), entry.node.kind.as_str().to_owned()))
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ours, theirs, "{directories:?}, recursive: {recursive}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn find_finds_what_restic_finds() {
    let scene = scene().await;
    let root = scene.tree.to_str().unwrap();
    for (patterns, ignore_case) in [
        (vec!["*.txt"], false),
        (vec!["photo.jpg"], true),
        (vec!["equal/*", "turns"], false),
        (vec!["@/a/**/x.txt"], false),
        (vec!["@/new"], false),
        (vec!["nothing"], false),
        (vec!["*"], false),
    ] {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| pattern.replace('@', root))
            .collect();
        let mut arguments = vec!["find".to_owned(), "--json".into()];
        if ignore_case {
            arguments.push("--ignore-case".into());
        }
        arguments.extend(patterns.iter().cloned());
        // Sorted lists, since two names that are no UTF-8 may look the same in JSON.
        let mut theirs = Vec::new();
        for group in scene.restic.run(&arguments).ok().json().as_array().unwrap() {
            for found in group["matches"].as_array().unwrap() {
                let path = found["path"].as_str().unwrap().to_owned();
                theirs.push((group["snapshot"].as_str().unwrap().to_owned(), path));
            }
        }
        let case = match ignore_case {
            true => Case::Insensitive,
            false => Case::Sensitive,
        };
        let options = FindOptions {
            patterns: PatternList::parse(&patterns, case).unwrap(),
            oldest: None,
            newest: None,
        };
        let (repository, index, cancel) =
            (&scene.repository, &scene.index, CancellationToken::new());
        let found = find_entries(
            repository,
            index,
            scene.snapshots.clone(),
            &options,
            &Silent,
            &cancel,
        );
        let mut ours = Vec::new();
        for group in found.await.unwrap() {
            assert!(group.matches.is_sorted_by(|a, b| a.path < b.path));
            let matches = group.matches.iter();
            ours.extend(matches.map(|entry| (group.snapshot.id.to_hex(), text(&entry.path))));
        }
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{patterns:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn find_finds_the_files_of_blobs_and_packs_as_restic_does() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    let path = [scene.tree.as_os_str().as_encoded_bytes(), b"/b/equal"].concat();
    let tree = locate(repository, index, scene.snapshots[0].snapshot.tree, &path)
        .await
        .unwrap();
    let tree = tree.directory().unwrap();
    let nodes = repository.load_tree(index, &tree).await.unwrap().nodes;
    let blob = nodes
        .iter()
        .find(|node| node.name == b"big-again")
        .unwrap()
        .content
        .as_ref()
        .unwrap()[0];
    let location = index
        .locate(strongroom_repository::format::BlobKind::Data, &blob)
        .unwrap();
    for (flag, id, query) in [
        (
            "--blob",
            blob.to_hex(),
            ObjectQuery::Blobs(vec![blob.to_hex()]),
        ),
        (
            "--blob",
            blob.short(),
            ObjectQuery::Blobs(vec![blob.short()]),
        ),
        (
            "--tree",
            tree.to_hex(),
            ObjectQuery::Trees(vec![tree.short()]),
        ),
        (
            "--pack",
            location.pack.to_hex(),
            ObjectQuery::Packs(vec![location.pack.to_hex()]),
        ),
    ] {
        let theirs = scene.restic.run(["find", "--json", flag, &id]).ok();
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let theirs: BTreeSet<_> = theirs
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|found| {
                ["object_type", "id", "path", "parent_tree", "snapshot"]
                    .map(|name| string(&found[name]))
            })
            .collect();
        assert!(!theirs.is_empty(), "{flag} {id}");
        let found = find_objects(
            repository,
            index,
            &scene.snapshots,
            &query,
            &Silent,
            &cancel,
        )
        .await
        .unwrap();
        let ours: BTreeSet<_> = found
            .iter()
            .map(|found| {
                let kind = match found.kind {
                    strongroom_repository::format::BlobKind::Data => "blob",
                    strongroom_repository::format::BlobKind::Tree => "tree",
                };
                let parent = found.parent_tree.map(|id| id.to_hex()).unwrap_or_default();
                let snapshot = scene.snapshots[found.snapshot].id.to_hex();
                [
                    kind.to_owned(),
                    found.id.to_hex(),
                    text(&found.path),
                    parent,
                    snapshot,
                ]
            })
            .collect();
        // restic stops at the first place of a tree.
        match flag {
            "--tree" => assert!(ours.is_superset(&theirs), "{ours:?} {theirs:?}"),
            _ => assert_eq!(ours, theirs, "{flag} {id}"),
        }
    }
    let missing = ObjectQuery::Packs(vec!["0123456789".into()]);
    let missing = find_objects(
        repository,
        index,
        &scene.snapshots,
        &missing,
        &Silent,
        &cancel,
    )
    .await;
    assert_eq!(
        missing.unwrap_err().kind(),
        strongroom_repository::ErrorKind::NotFound
    );
}

fn figures(value: &Value) -> DiffFigures {
    let number = |name: &str| value[name].as_u64().unwrap();
    DiffFigures {
        files: number("files"),
        dirs: number("dirs"),
        others: number("others"),
        data_blobs: number("data_blobs"),
        tree_blobs: number("tree_blobs"),
        bytes: number("bytes"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_shows_what_restic_shows() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    for (from, to) in [(0, 1), (1, 0), (1, 2), (0, 2), (2, 2)] {
        for metadata in [false, true] {
            let (from, to) = (&scene.snapshots[from], &scene.snapshots[to]);
            let mut arguments = vec![
                "diff".to_owned(),
                "--json".into(),
                from.id.to_hex(),
                to.id.to_hex(),
            ];
            if metadata {
                arguments.push("--metadata".into());
            }
            let theirs = lines(&scene.restic.run(&arguments).ok());
            let (statistics, changes) = theirs.split_last().unwrap();
            let theirs: Vec<_> = changes
                .iter()
                .map(|line| {
                    (
                        line["path"].as_str().unwrap().to_owned(),
                        line["modifier"].as_str().unwrap().to_owned(),
                    )
                })
                .collect();
            let mut ours = Vec::new();
            let mut show = |change: strongroom_repository::diff::Change| {
                ours.push((text(&change.path), change.modifier.to_string()));
            };
            let (before, after) = (from.snapshot.tree, to.snapshot.tree);
            let options = DiffOptions { metadata };
            let report = diff(
                repository, index, before, after, options, &mut show, &Silent, &cancel,
            );
            let report = report.await.unwrap();
            assert_eq!(ours, theirs);
            assert_eq!(
                report.changed_files,
                statistics["changed_files"].as_u64().unwrap()
            );
            assert_eq!(
                report.added,
                figures(&statistics["added"]),
                "added, metadata: {metadata}"
            );
            assert_eq!(
                report.removed,
                figures(&statistics["removed"]),
                "removed, metadata: {metadata}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stats_count_what_restic_counts() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    for (word, mode) in [
        ("restore-size", StatsMode::RestoreSize),
        ("files-by-contents", StatsMode::FilesByContents),
        ("blobs-per-file", StatsMode::BlobsPerFile),
        ("raw-data", StatsMode::RawData),
    ] {
        for snapshots in [&scene.snapshots[..], &scene.snapshots[1..2]] {
            let mut arguments = vec![
                "stats".to_owned(),
                "--json".into(),
                "--mode".into(),
                word.into(),
            ];
            // All of them by default; named, they come in the order of the names.
            arguments.extend(snapshots.iter().map(|file| file.id.to_hex()));
            let theirs = scene.restic.run(&arguments).ok().json();
            let ours = stats(repository, index, snapshots, mode, &Silent, &cancel)
                .await
                .unwrap();
            let number = |name: &str| theirs[name].as_u64().unwrap_or_default();
            assert_eq!(ours.snapshots_count, number("snapshots_count"), "{word}");
            assert_eq!(ours.total_size_bytes, number("total_size"), "{word}");
            assert_eq!(ours.total_file_count, number("total_file_count"), "{word}");
            assert_eq!(ours.total_blob_count, number("total_blob_count"), "{word}");
            assert_eq!(
                ours.total_uncompressed_size_bytes,
                number("total_uncompressed_size"),
                "{word}"
            );
            let close = |name: &str, ours: Option<f64>| {
                let theirs = theirs[name].as_f64().unwrap_or_default();
                assert!(
                    (theirs - ours.unwrap_or_default()).abs() < 1e-6,
                    "{word} {name}: {theirs} {ours:?}"
                );
            };
            close("compression_ratio", ours.compression_ratio);
            close("compression_progress", ours.compression_progress);
            close("compression_space_saving", ours.compression_space_saving);
            let deduplicates = ours.deduplication_ratio.is_some_and(|ratio| ratio > 1.0);
            assert_eq!(deduplicates, mode == StatsMode::RawData);
        }
    }
}
