//! Marking blobs of an index.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{Bitmap, visit_more_trees};
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexedBlob};
use crate::progress::Progress;
use crate::repository::Repository;
use crate::{Error, Result};

/// A set of an index's records, or (by the position of each blob's first record) of its blobs.
#[derive(Debug)]
pub(crate) struct Marks {
    data: Bitmap,
    trees: Bitmap,
}

impl Marks {
    /// The empty set.
    pub fn new(index: &Index) -> Self {
        Self {
            data: Bitmap::new(index.len(BlobKind::Data)),
            trees: Bitmap::new(index.len(BlobKind::Tree)),
        }
    }

    /// The positions of one kind.
    pub fn of(&self, kind: BlobKind) -> &Bitmap {
        match kind {
            BlobKind::Data => &self.data,
            BlobKind::Tree => &self.trees,
        }
    }

    /// Marks a blob; `None` if the index does not name it, else whether it was not marked before.
    pub fn mark(&self, index: &Index, kind: BlobKind, id: &Id) -> Option<bool> {
        index
            .ordinal(kind, id)
            .map(|position| self.of(kind).set(position))
    }

    /// Marks one record of a blob, given by its place.
    pub fn mark_record(&self, index: &Index, blob: &IndexedBlob) {
        let places = index.places(blob.kind, &blob.id);
        for (position, _) in places.filter(|(_, place)| *place == blob.location) {
            self.of(blob.kind).set(position);
        }
    }

    /// Whether all records of a blob are marked; a blob that the index does not name has no others.
    pub fn has_all_records(&self, index: &Index, kind: BlobKind, id: &Id) -> bool {
        let mut places = index.places(kind, id);
        places.all(|(position, _)| self.of(kind).get(position))
    }

    /// How many are marked, of both kinds.
    pub fn count(&self) -> u64 {
        self.data.count().saturating_add(self.trees.count())
    }
}

/// What a set of snapshots uses.
pub(crate) struct UsedBlobs {
    /// Blobs that the index names, by the position of their first record.
    pub used: Marks,
    /// Trees and data blobs that no index names, and unreadable trees, at most [`FAILURES_MAX`].
    pub failures: Vec<String>,
    /// How many failures there are.
    pub failures_count: u64,
    /// How many of them are trees that the index names and that cannot be read.
    pub unreadable_count: u64,
}

const FAILURES_MAX: usize = 20;

/// Marks every blob that the trees of these roots use.
///
/// # Errors
/// The storage's. Blobs that are missing or unreadable are no error but [`UsedBlobs::failures`].
pub(crate) async fn find_used(
    repository: &Repository,
    index: &Arc<Index>,
    roots: Vec<Id>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<UsedBlobs> {
    let none = Marks::new(index);
    find_used_beside(repository, index, roots, none, progress, cancel).await
}

/// The same in addition to what is used already; failures are those that come in addition.
pub(crate) async fn find_used_beside(
    repository: &Repository,
    index: &Arc<Index>,
    roots: Vec<Id>,
    used: Marks,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<UsedBlobs> {
    let seen = used.trees.copied();
    let state = Arc::new(State {
        used,
        absent_trees: AtomicU64::new(0),
        absent: Mutex::default(),
        unreadable: Mutex::default(),
    });
    let (job, job_index) = (Arc::clone(&state), Arc::clone(index));
    visit_more_trees(
        repository,
        index,
        roots,
        seen,
        move |id, tree| {
            if job.used.mark(&job_index, BlobKind::Tree, id).is_none() {
                job.absent_trees.fetch_add(1, Ordering::Relaxed);
            }
            match tree {
                Ok(tree) => {
                    // A node of any kind: what a kind that is not known yet refers to is needed too.
                    let content = tree
                        .nodes
                        .iter()
                        .flat_map(|node| node.content.iter().flatten());
                    for blob in content {
                        if job.used.mark(&job_index, BlobKind::Data, blob).is_none() {
                            lock(&job.absent).insert(*blob);
                        }
                    }
                }
                Err(error) => lock(&job.unreadable).push(error.to_string()),
            }
        },
        progress,
        cancel,
    )
    .await?;
    let state = Arc::try_unwrap(state)
        .map_err(|_| Error::new(crate::ErrorKind::Internal, "a visit has not ended"))?;
    let absent = state
        .absent
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut failures = state
        .unreadable
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let absent_trees = state.absent_trees.into_inner();
    let unreadable_count = (failures.len() as u64).saturating_sub(absent_trees);
    let failures_count = (failures.len() as u64).saturating_add(absent.len() as u64);
    failures.extend(
        absent
            .iter()
            .take(FAILURES_MAX)
            .map(|id| format!("data blob {id} is in no index")),
    );
    failures.truncate(FAILURES_MAX);
    Ok(UsedBlobs {
        used: state.used,
        failures,
        failures_count,
        unreadable_count,
    })
}

struct State {
    used: Marks,
    absent_trees: AtomicU64,
    absent: Mutex<HashSet<Id>>,
    unreadable: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
