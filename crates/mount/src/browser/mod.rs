//! What is looked at, answered without a word about FUSE.

mod content;
mod listing;

use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::format::{BlobKind, Id, Node, Time};
use strongroom_repository::{Error, Repository};
use tokio::sync::Semaphore;

use crate::cache::Cache;
use crate::directory::Directory;
use crate::inodes::{Inodes, Place};
use crate::layout::{Above, Folder, find};
use crate::options::Options;
use crate::reports::Reports;
use crate::views::Views;

pub use listing::Listing;

/// Trees and blobs that are fetched at the same time.
const FETCHES: usize = 16;

/// Why something cannot be shown. What is damaged has been told by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is nothing of that name, or not any more.
    NotFound,
    /// It is no folder.
    NotADirectory,
    /// It is no file or no link.
    WrongKind,
    /// It is there and cannot be read.
    Unreadable,
}

/// Something that is there.
#[derive(Clone)]
pub enum Seen {
    /// A folder above the snapshots.
    Folder,
    /// A link above the snapshots, and what it points to.
    Link(Vec<u8>),
    /// The root of a snapshot.
    Snapshot(Time),
    /// An entry of a snapshot, by its position in its directory.
    Entry(Arc<Directory>, usize),
}

impl Seen {
    /// What is known of an entry of a snapshot.
    pub fn node(&self) -> Option<&Node> {
        match self {
            Self::Entry(directory, position) => directory.nodes.get(*position),
            _ => None,
        }
    }
}

/// A repository that is looked at.
pub struct Browser {
    repository: Repository,
    views: Views,
    pub inodes: Inodes,
    directories: Cache<Id, Arc<Directory>>,
    blobs: Cache<Id, Bytes>,
    fetches: Semaphore,
    /// How far to read ahead of whoever reads in order.
    ahead_bytes: u64,
    reports: Reports,
}

impl Browser {
    /// Reads the snapshots and the index.
    pub async fn open(repository: Repository, options: &Options) -> Result<Self, Error> {
        let reports = Reports::new(Arc::clone(&options.progress));
        let views = Views::open(repository.clone(), options.clone(), &reports).await?;
        // Names and metadata are what people wait for, content is what takes the space.
        let directories_bytes = options.read_cache_bytes / 4;
        let blobs_bytes = options.read_cache_bytes - directories_bytes;
        Ok(Self {
            repository,
            views,
            inodes: Inodes::default(),
            directories: Cache::new(directories_bytes),
            blobs: Cache::new(blobs_bytes),
            fetches: Semaphore::new(FETCHES),
            ahead_bytes: blobs_bytes.min(32 * 1024 * 1024) / 4,
            reports,
        })
    }

    /// What a number stands for.
    pub async fn see(&self, number: u64) -> Result<Seen, Failure> {
        let (place, _) = self.inodes.get(number).ok_or(Failure::NotFound)?;
        match place {
            Place::Above => self.see_above(number).await,
            Place::Snapshot { time, .. } => Ok(Seen::Snapshot(time)),
            Place::Entry { tree, position, .. } => {
                let directory = self.directory(tree, number).await?;
                let position = usize::try_from(position).map_err(|_| Failure::NotFound)?;
                Ok(Seen::Entry(directory, position))
            }
        }
    }

    async fn see_above(&self, number: u64) -> Result<Seen, Failure> {
        let names = self.inodes.names(number);
        if names.is_empty() {
            return Ok(Seen::Folder);
        }
        let view = self.views.look(&self.reports).await;
        let above = find(&view.folders, &names).ok_or(Failure::NotFound)?;
        Ok(listing::seen(above))
    }

    /// The folder above the snapshots with these names.
    async fn folder(&self, names: &[Vec<u8>]) -> Result<Folder, Failure> {
        let view = self.views.look(&self.reports).await;
        if names.is_empty() {
            return Ok(view.folders.clone());
        }
        match find(&view.folders, names) {
            Some(Above::Folder(folder)) => Ok(folder.clone()),
            Some(_) => Err(Failure::NotADirectory),
            None => Err(Failure::NotFound),
        }
    }

    /// A directory of a snapshot; `number` is the one to name where it cannot be read.
    async fn directory(&self, tree: Id, number: u64) -> Result<Arc<Directory>, Failure> {
        let load = async {
            let content = self.fetch(BlobKind::Tree, tree).await?;
            let decode = move || Directory::decode(&content, tree);
            let directory = self.repository.workers().run(decode).await??;
            let bytes = directory.bytes();
            Ok((Arc::new(directory), bytes))
        };
        let loaded = self.directories.get(tree, load).await;
        loaded.map_err(|error: Error| self.unreadable(number, &error.to_string()))
    }

    /// Reads a blob, and once more with a newer index where it is not where the index says.
    async fn fetch(&self, kind: BlobKind, id: Id) -> Result<Vec<u8>, Error> {
        let _permit = self.fetches.acquire().await;
        let index = Arc::clone(&self.views.current().index);
        let error = match self.repository.load_blob(&index, kind, &id).await {
            Ok(content) => return Ok(content),
            Err(error) => error,
        };
        match self.views.newer_index(&index, &self.reports).await {
            Some(newer) => self.repository.load_blob(&newer, kind, &id).await,
            None => Err(error),
        }
    }

    fn unreadable(&self, number: u64, error: &str) -> Failure {
        self.reports.unreadable(&self.inodes.path(number), error);
        Failure::Unreadable
    }
}
