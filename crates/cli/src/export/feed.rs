//! From the repository to the channel.

use std::collections::VecDeque;
use std::sync::Arc;

use strongroom_repository::format::{BlobKind, Id, Node, NodeKind};
use strongroom_repository::index::Index;
use strongroom_repository::walk::{Step, Walk};
use strongroom_repository::{Error, ErrorKind, Repository, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ExportEntry, Piece};

/// Pieces that are fetched ahead; a blob has 8 MiB at most and 1.5 MiB on average.
const AHEAD: usize = 8;

/// What a stream is fed from.
#[derive(Clone)]
pub struct Feed {
    /// The repository.
    pub repository: Repository,
    /// Its index.
    pub index: Arc<Index>,
    /// Ends the stream.
    pub cancel: CancellationToken,
    /// To the writer.
    pub sender: mpsc::Sender<Piece>,
}

/// A piece that is there, or on its way.
enum Coming {
    Here(Piece),
    Fetched(JoinHandle<Result<Vec<u8>>>),
}

/// Sends one file.
///
/// # Errors
/// Damage, the storage's, [`ErrorKind::Cancelled`]; the receiver sees a channel without [`Piece::End`] then.
pub async fn feed_file(feed: Feed, node: Node) -> Result<()> {
    let mut queue = Queue::new(feed);
    let path = node.name.clone();
    queue.entry(path, node).await?;
    queue.end().await
}

/// Sends everything below a tree that lies at `path`, directories before what is in them. The entries are named from
/// the root of the snapshot, as restic does it.
///
/// # Errors
/// As [`feed_file`]. The first damage ends the stream: an archive that misses something must not look whole.
pub async fn feed_directory(feed: Feed, tree: Id, path: &[u8]) -> Result<()> {
    let mut walk = Walk::new(
        feed.repository.clone(),
        Arc::clone(&feed.index),
        tree,
        path,
        feed.cancel.clone(),
    );
    let mut queue = Queue::new(feed);
    while let Some(step) = walk.next().await? {
        match step {
            Step::Entry(entry) => {
                let path = entry
                    .path
                    .strip_prefix(b"/")
                    .unwrap_or(&entry.path)
                    .to_vec();
                queue.entry(path, entry.node).await?;
            }
            Step::Left(_) => {}
            Step::Damage(damage) => {
                return Err(damage.error.context(String::from_utf8_lossy(&damage.path)));
            }
        }
    }
    queue.end().await
}

/// The pieces that come next, in order, some of them still on their way.
struct Queue {
    feed: Feed,
    coming: VecDeque<Coming>,
}

impl Queue {
    fn new(feed: Feed) -> Self {
        Self {
            feed,
            coming: VecDeque::new(),
        }
    }

    async fn entry(&mut self, path: Vec<u8>, node: Node) -> Result<()> {
        let content = if node.kind == NodeKind::File {
            node.content.clone().unwrap_or_default()
        } else {
            Vec::new()
        };
        let entry = Box::new(ExportEntry { path, node });
        self.push(Coming::Here(Piece::Entry(entry))).await?;
        for id in content {
            let (repository, index) = (self.feed.repository.clone(), Arc::clone(&self.feed.index));
            let fetch = async move { repository.load_blob(&index, BlobKind::Data, &id).await };
            self.push(Coming::Fetched(tokio::spawn(fetch))).await?;
        }
        Ok(())
    }

    async fn push(&mut self, coming: Coming) -> Result<()> {
        self.coming.push_back(coming);
        while self.coming.len() > AHEAD {
            self.send_first().await?;
        }
        Ok(())
    }

    async fn end(mut self) -> Result<()> {
        while !self.coming.is_empty() {
            self.send_first().await?;
        }
        self.send(Piece::End).await
    }

    async fn send_first(&mut self) -> Result<()> {
        let piece = match self.coming.pop_front() {
            Some(Coming::Here(piece)) => piece,
            Some(Coming::Fetched(fetch)) => Piece::Data(
                fetch
                    .await
                    .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))??,
            ),
            None => return Ok(()),
        };
        self.send(piece).await
    }

    async fn send(&self, piece: Piece) -> Result<()> {
        tokio::select! {
            () = self.feed.cancel.cancelled() => Err(Error::cancelled()),
            // A writer that is gone has an error of its own, which is the cause.
            sent = self.feed.sender.send(piece) => sent.map_err(|_| Error::cancelled()),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for coming in &self.coming {
            if let Coming::Fetched(fetch) = coming {
                fetch.abort();
            }
        }
    }
}
