//! What a backup has brought back of earlier snapshots (story T-36).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::format::{BlobKind, Id, Node, NodeKind, Tree};
use crate::index::Index;
use crate::pack::BlobWriter;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::visit_trees;
use crate::{Error, Result};

/// What earlier snapshots had lost and have again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Healed {
    /// Blobs that earlier snapshots need, that were lost, and that this backup has stored.
    pub blobs: u64,
    /// Files of earlier snapshots that are whole again: some of these blobs are their content, or list their directory. A
    /// file that several directories have alike counts once for each of these.
    pub files: u64,
    /// Blobs that earlier snapshots need and that are lost still.
    pub lost: u64,
}

#[derive(Default)]
struct Found {
    healed: HashSet<(BlobKind, Id)>,
    lost: HashSet<(BlobKind, Id)>,
    files: u64,
}

impl Repository {
    /// Looks through all snapshots but this backup's own for blobs that the writer, which is finished, has stored. Whatever a snapshot named before
    /// and nobody had was lost.
    pub(super) async fn find_healed(
        &self,
        own: Option<Id>,
        writer: &BlobWriter,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Healed> {
        let (snapshots, _) = self.load_snapshots_tolerant(progress).await?;
        let index = Arc::new(self.load_index(progress).await?);
        let index = self.present_index(&index).await?.index;
        let earlier = snapshots.iter().filter(|file| Some(file.id) != own);
        let roots = earlier.map(|file| file.snapshot.tree).collect();
        let found = Arc::new(Mutex::new(Found::default()));
        let (job, job_index, job_writer) = (Arc::clone(&found), Arc::clone(&index), writer.clone());
        let visit = move |id: &Id, tree: std::result::Result<&Tree, &Error>| {
            let seen = look_at(&job_index, &job_writer, id, tree.ok());
            let mut found = job.lock().unwrap_or_else(PoisonError::into_inner);
            found.healed.extend(seen.healed);
            found.lost.extend(seen.lost);
            found.files = found.files.saturating_add(seen.files);
        };
        visit_trees(self, &index, roots, visit, progress, cancel).await?;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Healed {
            blobs: found.healed.len() as u64,
            files: found.files,
            lost: found.lost.len() as u64,
        })
    }
}

fn look_at(index: &Index, writer: &BlobWriter, id: &Id, tree: Option<&Tree>) -> Found {
    let mut found = Found::default();
    let Some(tree) = tree else {
        found.lost.insert((BlobKind::Tree, *id));
        return found;
    };
    let is_healed = writer.has_stored(BlobKind::Tree, id);
    if is_healed {
        found.healed.insert((BlobKind::Tree, *id));
    }
    let files = tree.nodes.iter().filter(|node| node.kind == NodeKind::File);
    for node in files {
        let (mut healed, mut lost) = (false, false);
        for blob in content(node) {
            if !index.contains(BlobKind::Data, blob) {
                lost = true;
                found.lost.insert((BlobKind::Data, *blob));
            } else if writer.has_stored(BlobKind::Data, blob) {
                healed = true;
                found.healed.insert((BlobKind::Data, *blob));
            }
        }
        found.files = found
            .files
            .saturating_add(u64::from((healed || is_healed) && !lost));
    }
    found
}

fn content(node: &Node) -> impl Iterator<Item = &Id> {
    node.content.iter().flatten()
}
