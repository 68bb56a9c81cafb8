//! One tree, depth first, in the order of the names.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::check::{checked_entries, subtree, too_deep};
use super::pending::{Gathered, Pending};
use super::{DEPTH_MAX, Damage, Entry};
use crate::format::{Id, Tree};
use crate::index::Index;
use crate::repository::Repository;
use crate::usage::is_damage;
use crate::{Error, Result};

/// Decides whether a directory is gone into. Called once for each, before it is read; in no particular order.
pub type Descend = Box<dyn FnMut(&Entry) -> bool + Send>;

/// Trees that are read ahead, and trees that are read in one go. Where the walk has gone down while so many were being read that
/// come later, what comes next is read all the same, up to [`AHEAD_MAX`] in all.
const AHEAD: usize = 32;
const TOGETHER: usize = 16;
const AHEAD_MAX: usize = 64;

/// What a walk comes to next.
#[derive(Debug)]
pub enum Step {
    /// An entry. What is in a directory comes after it.
    Entry(Box<Entry>),
    /// Everything in the directory has come. Only for directories that were gone into.
    Left(Vec<u8>),
    /// Something could not be read. The walk goes on behind it.
    Damage(Damage),
}

/// Goes through a tree. Holds the trees from the root to where it is, and at most 64 that it read ahead.
pub struct Walk {
    repository: Repository,
    index: Arc<Index>,
    cancel: CancellationToken,
    descend: Descend,
    /// From the root to the directory that the walk is in.
    frames: Vec<Frame>,
    /// Directories that wait in `frames`: those that are being read, and those that nobody has decided on.
    reading: usize,
    undecided: usize,
    /// The directory to go into next: the root, or the one that has just come.
    next: Option<(Vec<u8>, Pending)>,
}

/// A directory that the walk is in, with what has not come yet.
struct Frame {
    path: Vec<u8>,
    entries: VecDeque<Upcoming>,
    damages: VecDeque<Damage>,
    /// So many entries from the front on need no decision any more.
    decided: usize,
}

struct Upcoming {
    entry: Entry,
    subtree: Subtree,
}

enum Subtree {
    /// No directory, or not to be gone into.
    None,
    Undecided(Id),
    Reading(Pending),
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("depth", &self.frames.len())
            .finish_non_exhaustive()
    }
}

impl Walk {
    /// Goes through everything below `tree`, which lies at `path` (`/` for the root of a snapshot).
    pub fn new(
        repository: Repository,
        index: Arc<Index>,
        tree: Id,
        path: &[u8],
        cancel: CancellationToken,
    ) -> Self {
        let mut walk = Self {
            repository,
            index,
            cancel,
            descend: Box::new(|_| true),
            frames: Vec::new(),
            reading: 0,
            undecided: 0,
            next: None,
        };
        walk.next = Some((path.to_vec(), walk.read(tree)));
        walk
    }

    /// Goes only into the directories for which `descend` returns true.
    #[must_use]
    pub fn descend_where(mut self, descend: impl FnMut(&Entry) -> bool + Send + 'static) -> Self {
        self.descend = Box::new(descend);
        self
    }

    /// What comes next; `None` at the end. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`], or the storage's. Damage is no error, see [`Step::Damage`].
    pub async fn next(&mut self) -> Result<Option<Step>> {
        if self.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        if let Some((path, pending)) = self.next.take()
            && let Some(damage) = self.enter(path, pending).await?
        {
            return Ok(Some(Step::Damage(damage)));
        }
        self.read_ahead();
        let Some(frame) = self.frames.last_mut() else {
            return Ok(None);
        };
        if let Some(damage) = frame.damages.pop_front() {
            return Ok(Some(Step::Damage(damage)));
        }
        let Some(upcoming) = frame.entries.pop_front() else {
            let left = self.frames.pop().map(|frame| frame.path);
            return Ok(left.map(Step::Left));
        };
        frame.decided = frame.decided.saturating_sub(1);
        Ok(Some(Step::Entry(Box::new(self.come_to(upcoming)))))
    }

    fn come_to(&mut self, upcoming: Upcoming) -> Entry {
        let Upcoming { entry, subtree } = upcoming;
        let pending = match subtree {
            Subtree::None => None,
            Subtree::Reading(pending) => {
                self.reading -= 1;
                Some(pending)
            }
            Subtree::Undecided(tree) => {
                self.undecided -= 1;
                (self.descend)(&entry).then(|| self.read(tree))
            }
        };
        self.next = pending.map(|pending| (entry.path.clone(), pending));
        entry
    }

    /// Waits for the tree of a directory and goes into it.
    async fn enter(&mut self, path: Vec<u8>, mut pending: Pending) -> Result<Option<Damage>> {
        if self.frames.len() >= DEPTH_MAX {
            return Ok(Some(too_deep(&path)));
        }
        let read = tokio::select! {
            () = self.cancel.cancelled() => return Err(Error::cancelled()),
            read = pending.read() => read,
        };
        let tree = match believe(read)? {
            Ok(tree) => tree,
            Err(error) => return Ok(Some(Damage { path, error })),
        };
        let (entries, damages) = checked_entries(tree, pending.tree, &path);
        let upcoming = |entry: Entry| {
            let subtree = subtree(&entry.node).map_or(Subtree::None, Subtree::Undecided);
            Upcoming { entry, subtree }
        };
        let entries: VecDeque<_> = entries.into_iter().map(upcoming).collect();
        let is_undecided = |upcoming: &&Upcoming| matches!(upcoming.subtree, Subtree::Undecided(_));
        self.undecided += entries.iter().filter(is_undecided).count();
        self.frames.push(Frame {
            path,
            entries,
            damages: damages.into(),
            decided: 0,
        });
        Ok(None)
    }

    /// Starts reading the directories that come soonest.
    fn read_ahead(&mut self) {
        let is_unprepared = self.frames.last().is_some_and(|frame| frame.decided == 0);
        let most = match self.reading {
            few if few <= AHEAD - TOGETHER => AHEAD,
            many if is_unprepared => AHEAD_MAX.min(many + TOGETHER),
            _ => return,
        };
        let mut gathered = Gathered::default();
        let mut frames = std::mem::take(&mut self.frames);
        for frame in frames.iter_mut().rev() {
            while self.undecided > 0
                && self.reading < most
                && let Some(upcoming) = frame.entries.get_mut(frame.decided)
            {
                frame.decided += 1;
                if let Subtree::Undecided(tree) = upcoming.subtree {
                    self.undecided -= 1;
                    upcoming.subtree = Subtree::None;
                    if (self.descend)(&upcoming.entry) {
                        self.reading += 1;
                        upcoming.subtree = Subtree::Reading(gathered.add(tree));
                        if gathered.len() == TOGETHER {
                            std::mem::take(&mut gathered).start(&self.repository, &self.index);
                        }
                    }
                }
            }
            if self.undecided == 0 || self.reading >= most {
                break;
            }
        }
        self.frames = frames;
        gathered.start(&self.repository, &self.index);
    }

    fn read(&self, tree: Id) -> Pending {
        let mut alone = Gathered::default();
        let pending = alone.add(tree);
        alone.start(&self.repository, &self.index);
        pending
    }
}

/// Tells damage, with which the walk goes on, from a storage that fails. A tree that no index names is damage, since
/// something names it.
pub(super) fn believe(read: Result<Tree>) -> Result<std::result::Result<Tree, Error>> {
    match read {
        Ok(tree) => Ok(Ok(tree)),
        Err(error) if is_damage(&error) => Ok(Err(Error::damaged(error.to_string()))),
        Err(error) => Err(error),
    }
}
