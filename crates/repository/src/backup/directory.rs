//! Saving directories. No thread ever waits for another: whoever completes the last child of a directory stores its
//! tree and goes on with the directory above.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::compare;
use super::file::Pending;
use super::parent::Previous;
use super::run::Run;
use super::{Entry, EntryError, Handle, file, small};
use crate::format::{BlobKind, Id, Node, NodeKind, Tree};
use crate::progress::{Amount, Change, Item};
use crate::{Error, ErrorKind, Result};

/// A directory whose children are being saved.
pub(super) struct Directory {
    run: Arc<Run>,
    /// Path inside the snapshot; empty for the root.
    path: Vec<u8>,
    children: Mutex<Vec<Option<Node>>>,
    /// Children that are not complete yet, and one for the thread that lists them.
    remaining: AtomicUsize,
    end: Mutex<Option<End>>,
}

/// What happens to a directory's tree.
enum End {
    /// It becomes a child of the directory above.
    Child {
        node: Box<Node>,
        previous: Option<Box<Node>>,
        ticket: Ticket,
    },
    /// It is the root of the snapshot.
    Root(oneshot::Sender<Option<Id>>),
}

/// The duty to complete one child of a directory. Dropped without being used (a bug made a thread panic), it fails the
/// backup, so that nothing is silently missing and nobody waits for ever.
pub(super) struct Ticket {
    directory: Option<Arc<Directory>>,
    slot: usize,
}

impl Ticket {
    /// The child is saved, or (`None`) left out.
    pub fn complete(self, node: Option<Node>) {
        finish_upwards(self.put(node));
    }

    /// Puts the child in its place; the directory is returned if it is complete by that.
    fn put(mut self, node: Option<Node>) -> Option<Arc<Directory>> {
        let directory = self.directory.take()?;
        if let Some(place) = directory.lock_children().get_mut(self.slot) {
            *place = node;
        }
        directory.one_less()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(directory) = self.directory.take() {
            directory.run.fail(Error::new(
                ErrorKind::Internal,
                "an entry of the source was lost by a bug",
            ));
            finish_upwards(directory.one_less());
        }
    }
}

/// Finishes a directory, and the one above if that was its last child, and so on: a loop, since directories may be
/// nested deeper than a stack is.
fn finish_upwards(complete: Option<Arc<Directory>>) {
    let mut next = complete;
    while let Some(directory) = next {
        next = directory.finish();
    }
}

/// Saves everything below the root; sends its tree, or `None` if the root could not be listed.
pub(super) fn save_root(
    run: &Arc<Run>,
    root: Box<dyn Handle>,
    parent: Option<Id>,
    done: oneshot::Sender<Option<Id>>,
) {
    let directory = Directory::new(run, Vec::new(), End::Root(done));
    directory.list(&*root, parent);
}

/// Saves a directory: lists it now, its children on other threads.
fn save(run: &Arc<Run>, path: Vec<u8>, entry: Entry, previous: Option<Node>, ticket: Ticket) {
    let Entry {
        mut node, handle, ..
    } = entry;
    run.progress.current(&path);
    let previous_dir = previous
        .as_ref()
        .filter(|previous| previous.kind == NodeKind::Dir);
    match previous_dir.filter(|previous| compare::has_same_attributes(&node, previous)) {
        Some(same) => node
            .extended_attributes
            .clone_from(&same.extended_attributes),
        None => {
            if let Err(error) = handle.complete(&mut node) {
                run.entry_error(&path, &error);
            }
        }
    }
    let parent = previous_dir.and_then(|previous| previous.subtree);
    let end = End::Child {
        node: Box::new(node),
        previous: previous.map(Box::new),
        ticket,
    };
    Directory::new(run, path, end).list(&*handle, parent);
}

impl Directory {
    fn new(run: &Arc<Run>, path: Vec<u8>, end: End) -> Arc<Self> {
        Arc::new(Self {
            run: Arc::clone(run),
            path,
            children: Mutex::default(),
            remaining: AtomicUsize::new(1),
            end: Mutex::new(Some(end)),
        })
    }

    fn list(self: Arc<Self>, handle: &dyn Handle, parent: Option<Id>) {
        if self.run.is_over() {
            return finish_upwards(self.leave_out());
        }
        let entries = match handle.children() {
            Ok(entries) => entries,
            Err(error) => {
                self.run.entry_error(&self.path, &error);
                return finish_upwards(self.leave_out());
            }
        };
        let mut previous = Previous::new(parent.and_then(|id| self.run.parent_tree(&id)));
        for (slot, entry) in entries.enumerate() {
            if self.run.is_over() {
                break;
            }
            self.lock_children().push(None);
            self.remaining.fetch_add(1, Ordering::AcqRel);
            let ticket = Ticket {
                directory: Some(Arc::clone(&self)),
                slot,
            };
            match entry {
                Ok(entry) => {
                    let previous = previous.find(&entry.node.name);
                    self.save_child(entry, previous, ticket);
                }
                Err(error) => {
                    self.run.entry_error(&told_path(&self.path, &error), &error);
                    ticket.complete(None);
                }
            }
        }
        finish_upwards(self.one_less());
    }

    fn save_child(&self, entry: Entry, previous: Option<Node>, ticket: Ticket) {
        if self.run.is_over() {
            return ticket.complete(None);
        }
        let path = join(&self.path, &entry.node.name);
        let run = Arc::clone(&self.run);
        match entry.node.kind {
            NodeKind::Dir => {
                self.run
                    .repository
                    .workers()
                    .spawn(move || save(&run, path, entry, previous, ticket));
            }
            NodeKind::File => match previous {
                Some(previous) if compare::is_unchanged(&run, &path, &entry.node, &previous) => {
                    let node = compare::take_over(&run, &path, entry, previous);
                    report(&run, &path, &node, Change::Unchanged, 0, 0);
                    ticket.complete(Some(node));
                }
                previous => {
                    let change = match previous {
                        Some(_) => Change::Changed,
                        None => Change::New,
                    };
                    let file = Pending {
                        path,
                        entry,
                        change,
                        ticket,
                    };
                    save_file(&run, file);
                }
            },
            _ => save_other(&run, &path, entry, previous.as_ref(), ticket),
        }
    }

    /// The directory could not be read: it is left out of the snapshot. Returns the one above if it is complete by that.
    fn leave_out(&self) -> Option<Arc<Self>> {
        match self.take_end()? {
            End::Child { ticket, .. } => ticket.put(None),
            End::Root(done) => {
                // Nobody waits for the root any more if the backup was dropped.
                let _ = done.send(None);
                None
            }
        }
    }

    /// Counts a child as complete; returns the directory if it was the last one.
    fn one_less(self: Arc<Self>) -> Option<Arc<Self>> {
        (self.remaining.fetch_sub(1, Ordering::AcqRel) == 1).then_some(self)
    }

    /// All children are complete: stores the tree. Returns the directory above if it is complete by that.
    fn finish(&self) -> Option<Arc<Self>> {
        if self.run.is_over() {
            return self.leave_out();
        }
        let stored = match self.store_tree() {
            Ok(stored) => stored,
            Err(error) => {
                self.run.fail(error);
                return self.leave_out();
            }
        };
        match self.take_end()? {
            End::Root(done) => {
                let _ = done.send(Some(stored.id));
                None
            }
            End::Child {
                mut node,
                previous,
                ticket,
            } => {
                node.subtree = Some(stored.id);
                let change = compare::change(previous.as_deref(), &node);
                let added = if stored.is_new { stored.plain_bytes } else { 0 };
                report(
                    &self.run,
                    &self.path,
                    &node,
                    change,
                    added,
                    stored.stored_bytes,
                );
                ticket.put(Some(*node))
            }
        }
    }

    fn store_tree(&self) -> Result<crate::pack::Stored> {
        let nodes = std::mem::take(&mut *self.lock_children())
            .into_iter()
            .flatten()
            .collect();
        let doing = || format!("directory {}", String::from_utf8_lossy(&self.path));
        let plain = Tree { nodes }
            .encode()
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()).context(doing()))?;
        self.run.writer.store(BlobKind::Tree, &plain)
    }

    fn take_end(&self) -> Option<End> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn lock_children(&self) -> std::sync::MutexGuard<'_, Vec<Option<Node>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Saves a file soon, on any thread.
fn save_file(run: &Arc<Run>, file: Pending) {
    if small::is_small(&file.entry.node) {
        small::save(run, file);
    } else if run.enqueue() {
        let job = Arc::clone(run);
        run.repository.workers().spawn(move || {
            job.dequeued();
            file::save(&job, file);
        });
    } else {
        // A directory of a million files does not queue them all: this thread takes its share instead.
        file::save(run, file);
    }
}

/// The path to tell of an entry that could not be read: that in the snapshot; at the top the one of the source, which
/// is what was asked for and may be far from where it would lie in the snapshot.
fn told_path(folder: &[u8], error: &EntryError) -> Vec<u8> {
    if folder.is_empty() && !error.path.is_empty() {
        return error.path.clone();
    }
    let name = error.path.rsplit(|byte| *byte == b'/').next();
    join(folder, name.unwrap_or_default())
}

/// Saves what is neither a file nor a directory.
fn save_other(run: &Run, path: &[u8], entry: Entry, previous: Option<&Node>, ticket: Ticket) {
    let Entry {
        mut node, handle, ..
    } = entry;
    if let Err(error) = handle.complete(&mut node) {
        run.entry_error(path, &error);
        if node.kind == NodeKind::Symlink && node.link_target.is_empty() {
            return ticket.complete(None);
        }
    }
    let change = compare::change(previous, &node);
    report(run, path, &node, change, 0, 0);
    ticket.complete(Some(node));
}

/// Counts a finished entry and tells of it.
pub(super) fn report(
    run: &Run,
    path: &[u8],
    node: &Node,
    change: Change,
    added_bytes: u64,
    stored_bytes: u64,
) {
    run.counters.entry(&node.kind, change, node.size_bytes);
    let item = Item {
        path,
        node,
        change,
        added_bytes,
        stored_bytes,
    };
    run.progress.item(&item);
    let files = u64::from(node.kind == NodeKind::File);
    // The bytes of files that are read were counted while they were read.
    let bytes = if change == Change::Unchanged {
        node.size_bytes
    } else {
        0
    };
    run.progress.advance(Amount {
        files,
        bytes,
        items: 1,
    });
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len().saturating_add(name.len()).saturating_add(1));
    path.extend_from_slice(folder);
    path.push(b'/');
    path.extend_from_slice(name);
    path
}
