//! A repository of restic's that all of these tests look into.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::Value;
use strongroom_repository::Repository;
use strongroom_repository::index::Index;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{OpenOptions, SnapshotFile};
use strongroom_storage::LocalStorage;
use strongroom_testkit::{Corpus, Part, Ran, Random, Restic};

const PASSWORD: &str = "try-me";

pub struct Scene {
    _dir: tempfile::TempDir,
    pub tree: PathBuf,
    pub restic: Restic,
    pub repository: Repository,
    pub index: Arc<Index>,
    /// Oldest first.
    pub snapshots: Vec<SnapshotFile>,
}

/// Three snapshots of a tree that changes in all the ways that a comparison knows.
pub async fn scene() -> Scene {
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
    let old = fs::File::create(tree.join("b/from-1999.txt")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(936_149_828))
        .unwrap();
    // It will be removed, and its content stays in a directory that nobody touches.
    fs::copy(tree.join("b/equal/1"), tree.join("a/gone/copy")).unwrap();
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
pub fn text(path: &[u8]) -> String {
    let mut text = String::new();
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    text
}

pub fn lines(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    ran.stdout_text().lines().map(parse).collect()
}
