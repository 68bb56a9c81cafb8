//! Whether a repository holds what it must.

use std::collections::{BTreeMap, HashMap};

use strongroom_repository::check::{CheckOptions, CheckReport, ReadData};
use strongroom_repository::format::{BlobKind, Id, Snapshot};
use strongroom_repository::index::Index;
use strongroom_repository::lock::LockOptions;
use strongroom_repository::progress::Silent;
use strongroom_repository::{Repository, Result};
use tokio_util::sync::CancellationToken;

use crate::expected::{Expected, Number, number_of};
use crate::tree::Files;

/// Files that were read, by their paths.
pub type Content = BTreeMap<String, Vec<u8>>;

/// What is wrong with a backup, by its number.
pub type Wrong = BTreeMap<Number, String>;

/// Reads every snapshot to its last byte, and says which backups are missing or are not what was backed up.
pub async fn read_all(
    repository: &Repository,
    number: usize,
    expected: &Expected,
) -> Result<Wrong> {
    let mut wrong = Wrong::new();
    let (snapshots, unreadable) = repository.load_snapshots_tolerant(&Silent).await?;
    let (index, failed) = repository.load_index_tolerant(&Silent).await?;
    let mut reader = Reader {
        repository,
        index,
        blobs: HashMap::new(),
    };
    let mut present = BTreeMap::new();
    for file in &snapshots {
        let number = number_of(&file.snapshot).expect("all snapshots are of the model");
        let result = reader.compare(&file.snapshot, number, expected).await;
        if let Err(what) = result {
            wrong.insert(number, format!("snapshot {}: {what}", file.id.short()));
        }
        present.insert(number, file.id);
    }
    for missing in expected.required(number) {
        if !present.contains_key(missing) {
            let what = format!(
                "it has no snapshot ({} snapshots and {} index files cannot be read)",
                unreadable.len(),
                failed.len()
            );
            wrong.insert(*missing, what);
        }
    }
    Ok(wrong)
}

struct Reader<'a> {
    repository: &'a Repository,
    index: Index,
    /// What was read already.
    blobs: HashMap<Id, Vec<u8>>,
}

impl Reader<'_> {
    async fn compare(
        &mut self,
        snapshot: &Snapshot,
        number: Number,
        expected: &Expected,
    ) -> std::result::Result<(), String> {
        let files = self
            .files(snapshot.tree)
            .await
            .map_err(|error| error.to_string())?;
        expected.compare(number, &files)
    }

    async fn files(&mut self, root: Id) -> Result<Content> {
        let mut files = BTreeMap::new();
        let mut trees = vec![(String::new(), root)];
        while let Some((prefix, id)) = trees.pop() {
            for node in self.repository.load_tree(&self.index, &id).await?.nodes {
                let path = format!("{prefix}{}", String::from_utf8_lossy(&node.name));
                if let Some(subtree) = node.subtree {
                    trees.push((format!("{path}/"), subtree));
                } else {
                    let mut content = Vec::new();
                    for id in node.content.iter().flatten() {
                        content.extend(self.blob(id).await?);
                    }
                    files.insert(path, content);
                }
            }
        }
        Ok(files)
    }

    async fn blob(&mut self, id: &Id) -> Result<Vec<u8>> {
        if let Some(blob) = self.blobs.get(id) {
            return Ok(blob.clone());
        }
        let kind = BlobKind::Data;
        let blob = self.repository.load_blob(&self.index, kind, id).await?;
        self.blobs.insert(*id, blob.to_vec());
        Ok(blob.to_vec())
    }
}

/// What tells a tree that was read from the one that was backed up.
pub fn differences(expected: &Files, found: &Content) -> std::result::Result<(), String> {
    for (path, file) in expected {
        match found.get(path) {
            Some(content) if *content == *file.content => {}
            Some(_) => return Err(format!("{path} has other content")),
            None => return Err(format!("{path} is missing")),
        }
    }
    match found.keys().find(|path| !expected.contains_key(*path)) {
        Some(path) => Err(format!("{path} was not backed up")),
        None => Ok(()),
    }
}

/// A check that reads everything.
pub async fn check(repository: &Repository, locks: LockOptions) -> Result<CheckReport> {
    let options = CheckOptions {
        read_data: ReadData::All,
        paths_max: 10,
        locks,
    };
    let cancel = CancellationToken::new();
    repository.check(&options, &Silent, &cancel).await
}
