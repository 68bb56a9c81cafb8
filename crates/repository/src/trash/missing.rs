//! What snapshots in the trash lack: data that a program without a trash has removed.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::format::Id;
use crate::index::Index;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::find_used;

/// What of one snapshot cannot be had any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Trees and data blobs that the index does not find, and trees that cannot be read. What lies below such a tree is not
    /// known.
    pub count: u64,
    /// Some of them, each as one line.
    pub examples: Vec<String>,
}

/// For each root tree what is missing below it.
///
/// All are looked at together first, so that what they share is read once; only if that finds something, each by itself.
pub(crate) async fn find_missing(
    repository: &Repository,
    index: &Arc<Index>,
    roots: &[Id],
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Vec<Missing>> {
    let all = find_used(repository, index, roots.to_vec(), progress, cancel).await?;
    if all.failures_count == 0 {
        return Ok(vec![Missing::default(); roots.len()]);
    }
    let mut missing = Vec::with_capacity(roots.len());
    for root in roots {
        let one = find_used(repository, index, vec![*root], progress, cancel).await?;
        missing.push(Missing {
            count: one.failures_count,
            examples: one.failures,
        });
    }
    Ok(missing)
}
