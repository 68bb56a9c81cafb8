//! Damage of every kind at every place is found, named, and traced to the files that it costs.

use std::sync::Arc;

use strongroom_repository::check::{CheckReport, FindingKind, ReadData};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::progress::Silent;
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::engine::open_repository;

use crate::fixture::{Fixture, assert_sound, check, files, in_memory, overwrite};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Delete,
    Truncate,
    Empty,
    FlipFirst,
    FlipMiddle,
    FlipLast,
}

const ACTIONS: [Action; 6] = [
    Action::Delete,
    Action::Truncate,
    Action::Empty,
    Action::FlipFirst,
    Action::FlipMiddle,
    Action::FlipLast,
];

async fn damage(storage: &dyn Storage, path: &StoragePath, action: Action) {
    if action == Action::Delete {
        return storage.delete(path).await.unwrap();
    }
    overwrite(storage, path, |content| {
        let last = content.len() - 1;
        match action {
            Action::Truncate => content.truncate(last),
            Action::Empty => content.clear(),
            Action::FlipFirst => content[0] ^= 1,
            Action::FlipMiddle => content[last / 2] ^= 1,
            _ => content[last] ^= 1,
        }
    })
    .await;
}

fn id(path: &StoragePath) -> Id {
    path.file_name().parse().unwrap()
}

/// The file that a finding is about.
fn about(kind: &FindingKind) -> Option<Id> {
    Some(match kind {
        FindingKind::Key { key } => *key,
        FindingKind::Index { index } => *index,
        FindingKind::Snapshot { snapshot } => *snapshot,
        FindingKind::PackMissing { pack }
        | FindingKind::PackSize { pack, .. }
        | FindingKind::PackHash { pack }
        | FindingKind::PackHeader { pack }
        | FindingKind::Blob { pack, .. } => *pack,
        _ => return None,
    })
}

/// If an action at a place went unnoticed, a backup would be trusted that cannot be restored.
#[tokio::test(flavor = "multi_thread")]
async fn every_action_at_every_place_is_found() {
    let (fixture, _) = Fixture::two_snapshots(2);
    // A second password, whose key is not needed to open the repository.
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let own_key = repository.key_id();
    for folder in ["data", "index", "snapshots", "keys"] {
        for path in files(&whole, folder).await {
            for action in ACTIONS {
                // A snapshot or key that is deleted was forgotten, as far as anybody can know.
                if action == Action::Delete && ["snapshots", "keys"].contains(&folder) {
                    continue;
                }
                let damaged = whole.fork();
                damage(&damaged, &path, action).await;
                let repository = repository.with_storage(Arc::new(damaged));
                let report = check(&repository, ReadData::All).await;
                assert!(report.errors_count > 0, "{action:?} {path} was not found");
                let named = report
                    .errors
                    .iter()
                    .any(|finding| about(&finding.kind) == Some(id(&path)));
                // Without an index file the trees are the first that are missed.
                let trees = report
                    .errors
                    .iter()
                    .any(|finding| matches!(finding.kind, FindingKind::Tree { .. }));
                assert!(
                    named || (folder == "index" && trees),
                    "{action:?} {path}: {:#?}",
                    report.errors
                );
                if folder == "data" && action == Action::Delete {
                    assert!(!report.affected.is_empty(), "{action:?} {path}");
                }
            }
        }
    }
    assert!(
        files(&whole, "keys")
            .await
            .iter()
            .any(|path| id(path) == own_key)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_of_another_repository_is_found() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let config = StoragePath::new("config").unwrap();
    for action in ACTIONS {
        let damaged = whole.fork();
        damage(&damaged, &config, action).await;
        let report = check(
            &repository.with_storage(Arc::new(damaged)),
            ReadData::Nothing,
        )
        .await;
        assert!(
            matches!(report.errors[0].kind, FindingKind::Config),
            "{action:?}: {:?}",
            report.errors
        );
    }
}

/// The data blobs that a file of a snapshot consists of, with their packs.
async fn blobs_of(repository: &Repository, snapshot: &str, path: &[&str]) -> Vec<(Id, Id, u32)> {
    let index = repository.load_index(&Silent).await.unwrap();
    let mut tree = repository
        .load_snapshot(&snapshot.parse().unwrap())
        .await
        .unwrap()
        .tree;
    let (name, folders) = path.split_last().unwrap();
    for folder in folders {
        let nodes = repository.load_tree(&index, &tree).await.unwrap();
        tree = nodes.find(folder.as_bytes()).unwrap().subtree.unwrap();
    }
    let nodes = repository.load_tree(&index, &tree).await.unwrap();
    let content = nodes
        .find(name.as_bytes())
        .unwrap()
        .content
        .clone()
        .unwrap();
    content
        .into_iter()
        .map(|id| {
            let location = index.locate(BlobKind::Data, &id).unwrap();
            (id, location.pack, location.offset)
        })
        .collect()
}

/// The path of a source file inside the snapshots, split.
fn split(fixture: &Fixture, name: &str) -> (Vec<String>, Vec<u8>) {
    let path = fixture.source().join(name);
    let text = path.to_str().unwrap().to_owned();
    (
        text.trim_start_matches('/')
            .split('/')
            .map(str::to_owned)
            .collect(),
        text.into_bytes(),
    )
}

async fn flip(storage: &MemoryStorage, pack: &Id, offset: u32) {
    let name = pack.to_hex();
    let path = StoragePath::new(format!("data/{}/{name}", &name[..2])).unwrap();
    overwrite(storage, &path, |content| {
        content[offset as usize + 20] ^= 0x80
    })
    .await;
}

/// Whoever has to decide what to do about damage must know which files it costs, no more and no fewer.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_traced_to_the_files_that_it_costs() {
    let (fixture, [first, second]) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let both = [&first, &second];
    for (name, snapshots) in [
        ("same", &both[..]),
        ("deep/b", &both[..]),
        ("deep/c", &both[1..]),
        ("a", &both[1..]),
    ] {
        let (parts, path) = split(&fixture, name);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (blob, pack, offset) = blobs_of(&repository, &second, &parts).await[0];
        let damaged = whole.fork();
        flip(&damaged, &pack, offset).await;
        let damaged = repository.with_storage(Arc::new(damaged));
        assert_sound(
            &check(&damaged, ReadData::Nothing).await,
            "a flipped bit is not seen without reading",
        );
        let report = check(&damaged, ReadData::All).await;
        assert!(report.errors.iter().any(|finding| finding.kind
            == FindingKind::Blob {
                pack,
                kind: BlobKind::Data,
                blob
            }));
        assert_eq!(report.broken_packs(), [pack]);
        let found: Vec<(String, u64, Vec<Vec<u8>>)> = affected(&report);
        let expected: Vec<_> = snapshots
            .iter()
            .map(|snapshot| ((*snapshot).clone(), 1, vec![path.clone()]))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

fn affected(report: &CheckReport) -> Vec<(String, u64, Vec<Vec<u8>>)> {
    let one = |snapshot: &strongroom_repository::check::AffectedSnapshot| {
        (
            snapshot.snapshot.to_hex(),
            snapshot.entries,
            snapshot.paths.clone(),
        )
    };
    report.affected.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tree_is_traced_to_its_directory_or_to_the_whole_snapshot() {
    let (fixture, [_, second]) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let index = repository.load_index(&Silent).await.unwrap();
    let root = repository
        .load_snapshot(&second.parse().unwrap())
        .await
        .unwrap()
        .tree;
    let (parts, path) = split(&fixture, "deep");
    let mut trees = vec![root];
    for part in &parts {
        let tree = repository
            .load_tree(&index, trees.last().unwrap())
            .await
            .unwrap();
        trees.push(tree.find(part.as_bytes()).unwrap().subtree.unwrap());
    }
    for (tree, path) in [(trees[0], b"/".to_vec()), (*trees.last().unwrap(), path)] {
        let location = index.locate(BlobKind::Tree, &tree).unwrap();
        let damaged = whole.fork();
        flip(&damaged, &location.pack, location.offset).await;
        let report = check(
            &repository.with_storage(Arc::new(damaged)),
            ReadData::Nothing,
        )
        .await;
        assert!(
            report
                .errors
                .iter()
                .any(|finding| finding.kind == FindingKind::Tree { tree })
        );
        assert_eq!(affected(&report), [(second.clone(), 1, vec![path])]);
    }
}

/// A blob that is whole in another pack costs nothing, though its pack is damaged.
#[tokio::test(flavor = "multi_thread")]
async fn damage_to_one_of_two_copies_costs_no_file() {
    let (fixture, [_, second]) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.fork())).await;
    let (parts, _) = split(&fixture, "same");
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (blob, pack, offset) = blobs_of(&repository, &second, &parts).await[0];
    let index = repository.load_index(&Silent).await.unwrap();
    let content = repository
        .load_blob(&index, BlobKind::Data, &blob)
        .await
        .unwrap();
    let doubled = whole.fork();
    store_again(
        &repository.with_storage(Arc::new(doubled.clone())),
        BlobKind::Data,
        content,
    )
    .await;
    flip(&doubled, &pack, offset).await;
    let report = check(&repository.with_storage(Arc::new(doubled)), ReadData::All).await;
    assert!(report.errors_count > 0);
    assert_eq!(report.affected, []);
}

/// Stores a blob that the repository has already.
async fn store_again(repository: &Repository, kind: BlobKind, content: Vec<u8>) {
    use strongroom_repository::pack::{BlobWriter, WriterOptions};
    let writer = BlobWriter::new(
        repository,
        Arc::default(),
        WriterOptions::default(),
        tokio_util::sync::CancellationToken::new(),
    );
    let job = writer.clone();
    repository
        .workers()
        .run(move || job.store(kind, &content))
        .await
        .unwrap()
        .unwrap();
    writer.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_packs_together_find_what_a_full_read_finds() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let damaged = in_memory(&fixture.path()).await;
    let packs = files(&damaged, "data").await;
    for path in &packs {
        overwrite(&damaged, path, |content| content[16] ^= 1).await;
    }
    let repository = open_repository(Arc::new(damaged)).await;
    let all = check(&repository, ReadData::All).await.broken_packs();
    assert_eq!(all.len(), packs.len());
    let mut found = Vec::new();
    for number in 1..=3 {
        found.extend(
            check(&repository, ReadData::Group { number, groups: 3 })
                .await
                .broken_packs(),
        );
    }
    found.sort_unstable();
    found.dedup();
    // Tree packs are found in every group, by the trees in them.
    assert_eq!(found, all);
}

/// An index that a broken program wrote: every size is right, and what it says of a pack is not what the pack holds.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_disagrees_with_a_packs_header_is_found() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(whole.clone())).await;
    let path = files(&whole, "index").await.remove(0);
    let plain = repository
        .load_file(FileKind::Index, &id(&path))
        .await
        .unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    let packs = json["packs"].as_array_mut().unwrap();
    let pack = packs
        .iter_mut()
        .find(|pack| pack["blobs"].as_array().unwrap().len() > 1)
        .unwrap();
    let first = pack["blobs"][0]["id"].take();
    let second = std::mem::replace(&mut pack["blobs"][1]["id"], first);
    pack["blobs"][0]["id"] = second;
    let pack: Id = pack["id"].as_str().unwrap().parse().unwrap();
    whole.delete(&path).await.unwrap();
    repository
        .save_file(FileKind::Index, serde_json::to_vec(&json).unwrap())
        .await
        .unwrap();
    let report = check(&repository, ReadData::All).await;
    assert!(
        report
            .errors
            .iter()
            .any(|finding| finding.kind == FindingKind::PackHeader { pack }),
        "{:#?}",
        report.errors
    );
}
