//! What is in a repository, as somebody finds it who only has the files and the password.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use strongroom_repository::check::{CheckOptions, CheckReport, ReadData};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::Index;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::signature::{Link, SignatureReport};
use strongroom_repository::{Error, ErrorKind, Repository, Result};
use strongroom_storage::MemoryStorage;
use tokio_util::sync::CancellationToken;

use crate::engine::{FakeClock, FakeHost};

/// A snapshot that was found. The id of a tree stands for all that is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub id: Id,
    /// The tree of the directory that was backed up; those above it change with whatever happens beside it.
    pub tree: Id,
    /// Every blob that it needs can be read.
    pub is_whole: bool,
}

/// What is in a repository.
#[derive(Debug)]
pub(super) struct Survey {
    /// By their times, which tests keep apart: an operation that changes a snapshot leaves its time.
    pub snapshots: BTreeMap<Timestamp, Vec<Found>>,
    /// The times of those that lie in the trash and can be brought back.
    pub trash: BTreeSet<Timestamp>,
    pub report: CheckReport,
    /// The password that opened it.
    pub password: Option<String>,
    /// Why it does not open.
    pub refused: Option<Error>,
    /// What the signatures say, where somebody has looked.
    pub signatures: Option<SignatureReport>,
}

impl Survey {
    pub async fn take(storage: &MemoryStorage, passwords: &[&str]) -> Self {
        let mut survey = Self {
            snapshots: BTreeMap::new(),
            trash: BTreeSet::new(),
            report: CheckReport::default(),
            password: None,
            refused: None,
            signatures: None,
        };
        match open(storage, passwords).await {
            Ok((repository, password)) => {
                survey.password = Some(password);
                survey.snapshots = snapshots(&repository).await;
                let (trash, _) = repository.load_trash(&Silent).await.unwrap();
                let times = trash.iter().map(|entry| entry.snapshot.time.instant());
                survey.trash = times.collect();
                survey.report = check(&repository).await;
            }
            Err(error) => survey.refused = Some(error),
        }
        survey
    }

    /// The times of all snapshots, those in the trash too.
    pub fn times(&self) -> BTreeSet<Timestamp> {
        self.snapshots.keys().chain(&self.trash).copied().collect()
    }

    /// The heads of the chain of signatures, if any.
    pub fn heads(&self) -> Vec<Link> {
        let signatures = self.signatures.iter();
        signatures.flat_map(|report| report.heads.clone()).collect()
    }

    /// No error was found in it.
    pub fn is_sound(&self) -> bool {
        self.refused.is_none() && self.report.is_sound()
    }

    #[track_caller]
    pub fn assert_sound(&self, when: &str) {
        assert!(self.refused.is_none(), "{when}: {:?}", self.refused);
        assert!(self.report.is_sound(), "{when}: {:#?}", self.report.errors);
        assert!(
            self.report.affected.is_empty(),
            "{when}: {:?}",
            self.report.affected
        );
        let mut all = self.snapshots.values().flatten();
        assert!(
            all.all(|found| found.is_whole),
            "{when}: {:?}",
            self.snapshots
        );
    }
}

/// The password that opens, if any does.
pub(super) async fn open(
    storage: &MemoryStorage,
    passwords: &[&str],
) -> Result<(Repository, String)> {
    let options = OpenOptions {
        threads: 2,
        ..OpenOptions::default()
    };
    let mut refused = Error::new(ErrorKind::Internal, "no password to try");
    for password in passwords {
        let secret = SecretString::from(*password);
        match Repository::open(Arc::new(storage.clone()), &secret, &options).await {
            Ok(repository) => return Ok((repository, (*password).to_owned())),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

async fn check(repository: &Repository) -> CheckReport {
    let options = CheckOptions {
        read_data: ReadData::All,
        paths_max: 10,
        locks: FakeHost::new("elsewhere", 9).lock_options(&FakeClock::new()),
    };
    let cancel = CancellationToken::new();
    repository.check(&options, &Silent, &cancel).await.unwrap()
}

async fn snapshots(repository: &Repository) -> BTreeMap<Timestamp, Vec<Found>> {
    let (index, _) = repository.load_index_tolerant(&Silent).await.unwrap();
    let (files, _) = repository.load_snapshots_tolerant(&Silent).await.unwrap();
    let mut snapshots: BTreeMap<Timestamp, Vec<Found>> = BTreeMap::new();
    let mut read = HashSet::new();
    for file in files {
        let root = file.snapshot.tree;
        let found = Found {
            id: file.id,
            tree: top(repository, &index, root).await,
            is_whole: read_tree(repository, &index, root, &mut read).await.is_ok(),
        };
        let same_time = snapshots.entry(file.snapshot.time.instant()).or_default();
        same_time.push(found);
        same_time.sort();
    }
    snapshots
}

/// The first tree on the way down that is more than one directory. A root that cannot be read stands for itself.
async fn top(repository: &Repository, index: &Index, root: Id) -> Id {
    let mut top = root;
    while let Ok(tree) = repository.load_tree(index, &top).await {
        match &tree.nodes[..] {
            [only] if only.subtree.is_some() => top = only.subtree.unwrap(),
            _ => break,
        }
    }
    top
}

/// Reads every blob below a tree but those that were read before. Each is checked against its id on the way.
async fn read_tree(
    repository: &Repository,
    index: &Index,
    root: Id,
    read: &mut HashSet<Id>,
) -> Result<()> {
    // A tree counts as read once all that is below it was.
    let (mut trees, mut passed) = (vec![root], Vec::new());
    while let Some(id) = trees.pop() {
        if read.contains(&id) {
            continue;
        }
        passed.push(id);
        for node in repository.load_tree(index, &id).await?.nodes {
            trees.extend(node.subtree);
            for blob in node.content.iter().flatten() {
                if !read.contains(blob) {
                    repository.load_blob(index, BlobKind::Data, blob).await?;
                    read.insert(*blob);
                }
            }
        }
    }
    read.extend(passed);
    Ok(())
}
