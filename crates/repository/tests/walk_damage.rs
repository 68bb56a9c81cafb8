//! Going through trees that are damaged or forged: what is wrong is told in its place, what is right still comes.
//!
//! If a walk stopped at the first fault, one flipped bit would hide a whole backup; if it believed everything, a forged
//! snapshot could write anywhere or never end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use serde_json::{Value, json};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::Index;
use strongroom_repository::pack::{BlobWriter, WriterOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::walk::{DEPTH_MAX, Found, Located, Step, Walk, locate, walk_union};
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{MemoryStorage, Operation};
use strongroom_testkit::engine::{new_repository, open_repository};
use strongroom_testkit::{FaultyStorage, RecordingStorage};
use tokio_util::sync::CancellationToken;

const TIME: &str = "2024-01-01T00:00:00Z";

fn entry(name: &str, kind: &str, subtree: Option<Id>) -> Value {
    let mut entry = json!({
        "name": name, "type": kind, "mode": 420, "mtime": TIME, "atime": TIME, "ctime": TIME, "uid": 0, "gid": 0,
        "content": null,
    });
    if let Some(subtree) = subtree {
        entry["subtree"] = json!(subtree);
    }
    entry
}

fn file(name: &str) -> Value {
    entry(name, "file", None)
}

fn dir(name: &str, subtree: Id) -> Value {
    entry(name, "dir", Some(subtree))
}

/// Stores trees as they are given, however wrong.
struct Forger {
    repository: Repository,
    writer: BlobWriter,
}

impl Forger {
    fn new(repository: &Repository) -> Self {
        let (index, cancel) = (Arc::new(Index::default()), CancellationToken::new());
        let options = WriterOptions { dry_run: false };
        Self {
            repository: repository.clone(),
            writer: BlobWriter::new(repository, index, options, cancel),
        }
    }

    async fn tree(&self, nodes: Vec<Value>) -> Id {
        let (writer, json) = (self.writer.clone(), json!({ "nodes": nodes }).to_string());
        let store = move || writer.store(BlobKind::Tree, json.as_bytes());
        self.repository
            .workers()
            .run(store)
            .await
            .unwrap()
            .unwrap()
            .id
    }

    async fn finish(self) -> Arc<Index> {
        self.writer.finish().await.unwrap();
        Arc::new(self.repository.load_index(&Silent).await.unwrap())
    }
}

/// What a walk shows, a line each; `!` in front of damage, `<` in front of directories that are left.
async fn walked(repository: &Repository, index: &Arc<Index>, tree: Id) -> Vec<String> {
    let cancel = CancellationToken::new();
    let mut walk = Walk::new(repository.clone(), Arc::clone(index), tree, b"/", cancel);
    let mut lines = Vec::new();
    while let Some(step) = walk.next().await.unwrap() {
        let (mark, path) = match step {
            Step::Entry(entry) => ("", entry.path),
            Step::Left(path) => ("<", path),
            Step::Damage(damage) => {
                assert_eq!(damage.error.kind(), ErrorKind::Damaged, "{}", damage.error);
                ("!", damage.path)
            }
        };
        lines.push(format!("{mark}{}", String::from_utf8_lossy(&path)));
    }
    lines
}

/// The same of many trees at once, sorted, with the numbers of the trees.
async fn united(repository: &Repository, index: &Index, trees: &[Id]) -> Vec<String> {
    let mut lines = Vec::new();
    let cancel = CancellationToken::new();
    walk_union(repository, index, trees, &cancel, &mut |found, members| {
        let (mark, path) = match found {
            Found::Entry(entry) => ("", &entry.path),
            Found::Damage(damage) => ("!", &damage.path),
        };
        lines.push(format!(
            "{mark}{} {members:?}",
            String::from_utf8_lossy(path)
        ));
        true
    })
    .await
    .unwrap();
    lines.sort();
    lines
}

#[tokio::test]
async fn what_is_right_comes_in_order_and_what_is_wrong_is_told() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let forger = Forger::new(&repository);
    let inner = forger.tree(vec![file("x"), file("y")]).await;
    let names = ["..", "", ".", "a/b", "/etc", "nul\\u0000"];
    let mut nodes: Vec<Value> = names.into_iter().map(|name| dir(name, inner)).collect();
    nodes[5]["name"] = json!("nul\0");
    nodes.extend([
        file("z"),
        dir("good", inner),
        file("twice"),
        file("twice"),
        entry("treeless", "dir", None),
        dir("lost", Id::of(b"no such tree")),
        entry("typeless", "", None),
    ]);
    let root = forger.tree(nodes).await;
    let index = forger.finish().await;
    let mut lines = walked(&repository, &index, root).await;
    let told: Vec<String> = lines.extract_if(.., |line| line.starts_with('!')).collect();
    assert_eq!(
        lines,
        [
            "/good", "/good/x", "/good/y", "</good", "/lost", "/twice", "/z", "</"
        ]
    );
    assert_eq!(told.len(), 10, "{told:?}");
    assert!(told.contains(&"!/lost".to_owned()) && told.contains(&"!/..".to_owned()));
    let lines = united(&repository, &index, &[root]).await;
    let told = lines.iter().filter(|line| line.starts_with('!')).count();
    assert_eq!((told, lines.len()), (10, 16), "{lines:?}");
}

/// A snapshot a thousand directories deeper than any file system allows must not exhaust the stack or the patience.
#[tokio::test]
async fn a_bottomless_tree_ends() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let forger = Forger::new(&repository);
    let mut tree = forger.tree(vec![file("bottom")]).await;
    for _ in 0..DEPTH_MAX + 3 {
        tree = forger.tree(vec![dir("d", tree)]).await;
    }
    let index = forger.finish().await;
    let lines = walked(&repository, &index, tree).await;
    assert_eq!(lines.iter().filter(|line| line.starts_with('!')).count(), 1);
    assert_eq!(
        lines.iter().filter(|line| line.starts_with('/')).count(),
        DEPTH_MAX
    );
    let lines = united(&repository, &index, &[tree]).await;
    assert_eq!(lines.iter().filter(|line| line.starts_with('!')).count(), 1);
    assert_eq!(lines.len(), DEPTH_MAX + 1);
}

/// A thousand snapshots of the same files must not cost a thousand times the reading.
#[tokio::test]
async fn what_trees_have_in_common_is_read_once() {
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let forger = Forger::new(&repository);
    let leaf = forger.tree(vec![file("x")]).await;
    let same = forger.tree(vec![dir("leaf", leaf)]).await;
    let other = forger.tree(vec![dir("leaf", leaf), file("new")]).await;
    let first = forger.tree(vec![dir("a", same), dir("b", same)]).await;
    let second = forger.tree(vec![dir("a", same), dir("b", other)]).await;
    let index = forger.finish().await;
    let recording = Arc::new(RecordingStorage::new(storage));
    let repository = open_repository(Arc::<RecordingStorage>::clone(&recording)).await;
    recording.take();
    let lines = united(&repository, &index, &[first, second, first]).await;
    assert_eq!(
        lines,
        [
            "/a [0, 2]",
            "/a [1]",
            "/a/leaf [0, 1, 2]",
            "/a/leaf/x [0, 1, 2]",
            "/b [0, 2]",
            "/b [1]",
            "/b/leaf [0, 2]",
            "/b/leaf [1]",
            "/b/leaf/x [0, 1, 2]",
            "/b/new [1]",
        ]
    );
    // What lies in the two roots is shown for each; below, what is the same comes once. Two roots, `/a`, `/a/leaf`, both versions of `/b`, and `/b/leaf`.
    assert_eq!(recording.count(Operation::Read, "data"), 7);
}

#[tokio::test]
async fn directories_that_are_not_asked_for_are_not_read() {
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let forger = Forger::new(&repository);
    let leaf = forger.tree(vec![file("x")]).await;
    let many = (0..100)
        .map(|number| dir(&format!("d{number:02}"), leaf))
        .collect();
    let root = forger.tree(many).await;
    let index = forger.finish().await;
    let recording = Arc::new(RecordingStorage::new(storage));
    let repository = open_repository(Arc::<RecordingStorage>::clone(&recording)).await;
    recording.take();
    let mut walk = Walk::new(repository, index, root, b"/", CancellationToken::new())
        .descend_where(|entry| entry.path == b"/d50");
    let mut entries = 0;
    while let Some(step) = walk.next().await.unwrap() {
        entries += usize::from(matches!(step, Step::Entry(_)));
    }
    assert_eq!(entries, 101);
    assert_eq!(recording.count(Operation::Read, "data"), 2);
}

#[tokio::test]
async fn a_storage_that_fails_ends_the_walk_and_so_does_the_user() {
    let storage = Arc::new(MemoryStorage::new());
    let repository = new_repository(Arc::<MemoryStorage>::clone(&storage)).await;
    let forger = Forger::new(&repository);
    let leaf = forger.tree(vec![file("x")]).await;
    let root = forger.tree(vec![dir("a", leaf)]).await;
    let index = forger.finish().await;
    let failing = repository.with_storage(Arc::new(FaultyStorage::stops_after(storage, 1)));
    let mut walk = Walk::new(
        failing.clone(),
        Arc::clone(&index),
        root,
        b"/",
        CancellationToken::new(),
    );
    assert!(matches!(walk.next().await.unwrap(), Some(Step::Entry(_))));
    assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::Storage);
    let cancel = CancellationToken::new();
    let failed = walk_union(&failing, &index, &[root], &cancel, &mut |_, _| true).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Storage);
    cancel.cancel();
    let cancelled = walk_union(&repository, &index, &[root], &cancel, &mut |_, _| true).await;
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    let mut walk = Walk::new(repository, index, root, b"/", cancel);
    assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_path_leads_to_what_lies_there() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let forger = Forger::new(&repository);
    let leaf = forger.tree(vec![file("x")]).await;
    let root = forger.tree(vec![dir("a", leaf), file("f")]).await;
    let index = forger.finish().await;
    let at = |path: &'static str| locate(&repository, &index, root, path.as_bytes());
    for path in ["/", "", ".", "/a/..", "a/../"] {
        assert_eq!(
            at(path).await.unwrap().directory().unwrap(),
            root,
            "{path:?}"
        );
    }
    for path in ["/a", "a", "a/", "//a/.", "/f/../a"] {
        assert_eq!(
            at(path).await.unwrap().directory().unwrap(),
            leaf,
            "{path:?}"
        );
    }
    let Located::Other(found) = at("/a/x").await.unwrap() else {
        panic!("a file is no directory");
    };
    assert_eq!(found.name, b"x");
    assert_eq!(
        at("f").await.unwrap().directory().unwrap_err().kind(),
        ErrorKind::Invalid
    );
    for path in ["/b", "/a/x/y", "/f/x", "/a/X"] {
        assert_eq!(
            at(path).await.unwrap_err().kind(),
            ErrorKind::NotFound,
            "{path:?}"
        );
    }
}
