//! Trees that are being read ahead of a walk.

use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::format::{Id, Tree};
use crate::index::Index;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A tree that is being read, with others. When none of these is waited for any more, that stops.
pub(super) struct Pending {
    pub(super) tree: Id,
    read: oneshot::Receiver<Result<Tree>>,
    _batch: Arc<Batch>,
}

impl Pending {
    /// Waits for the tree.
    pub(super) async fn read(&mut self) -> Result<Tree> {
        let read = (&mut self.read).await;
        read.map_err(|_| Error::new(ErrorKind::Internal, "a task that reads trees ended"))?
    }
}

/// Trees to be read in one go.
#[derive(Default)]
pub(super) struct Gathered {
    trees: Vec<Id>,
    waiting: Vec<oneshot::Sender<Result<Tree>>>,
    batch: Arc<Batch>,
}

#[derive(Default)]
struct Batch {
    task: OnceLock<JoinHandle<()>>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Gathered {
    pub(super) fn add(&mut self, tree: Id) -> Pending {
        let (sender, read) = oneshot::channel();
        self.trees.push(tree);
        self.waiting.push(sender);
        Pending {
            tree,
            read,
            _batch: Arc::clone(&self.batch),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.trees.len()
    }

    /// Begins to read what was added. Needs a tokio runtime.
    pub(super) fn start(self, repository: &Repository, index: &Arc<Index>) {
        let (repository, index) = (repository.clone(), Arc::clone(index));
        let Self {
            trees,
            waiting,
            batch,
        } = self;
        if trees.is_empty() {
            return;
        }
        let task = tokio::spawn(async move {
            let read = repository.load_trees(&index, &trees).await;
            for (waiting, tree) in waiting.into_iter().zip(read) {
                // Whoever asked may have gone.
                let _ = waiting.send(tree);
            }
        });
        // Nothing was set before: this is the one start.
        let _ = batch.task.set(task);
    }
}
