//! Saving the content of files.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::chunk::Chunk;
use super::directory::{Ticket, report};
use super::run::Run;
use super::{Content, Entry, EntryError};
use crate::chunker::Cut;
use crate::format::{BlobKind, Id, Node};
use crate::progress::Change;

/// A file whose chunks are being stored.
struct Saving {
    run: Arc<Run>,
    path: Vec<u8>,
    change: Change,
    chunks: Mutex<Vec<Option<Id>>>,
    /// Chunks that are not stored yet, and one for the thread that reads.
    remaining: AtomicUsize,
    added_bytes: AtomicU64,
    stored_bytes: AtomicU64,
    end: Mutex<Option<(Node, Ticket)>>,
}

/// A file that is to be saved.
pub(super) struct Pending {
    /// Path inside the snapshot.
    pub path: Vec<u8>,
    pub entry: Entry,
    /// New, or different from the parent's.
    pub change: Change,
    pub ticket: Ticket,
}

/// A file that is open and has told all but its content.
pub(super) struct Opened {
    pub path: Vec<u8>,
    pub node: Node,
    pub source_path: Vec<u8>,
    pub content: Box<dyn Content>,
    pub change: Change,
    pub ticket: Ticket,
}

impl Opened {
    /// The file cannot be read: it is left out of the snapshot.
    pub fn leave_out(self, run: &Run, error: &EntryError) {
        run.entry_error(&self.path, error);
        self.ticket.complete(None);
    }
}

/// Reads a file and stores it. A file that cannot be read (to its end) is left out and told of.
pub(super) fn save(run: &Arc<Run>, file: Pending) {
    if let Some(opened) = open(run, file) {
        save_opened(run, opened, &[]);
    }
}

/// Opens a file; `None` if it is left out.
pub(super) fn open(run: &Run, file: Pending) -> Option<Opened> {
    let Pending {
        path,
        entry,
        change,
        ticket,
    } = file;
    let Entry {
        mut node,
        handle,
        source_path,
    } = entry;
    if run.is_over() {
        ticket.complete(None);
        return None;
    }
    run.progress.current(&path);
    let opened = handle.open().and_then(|content| {
        content.refresh(&mut node)?;
        Ok(content)
    });
    let content = match opened {
        Ok(content) => content,
        Err(error) => {
            run.entry_error(&path, &error);
            ticket.complete(None);
            return None;
        }
    };
    if let Err(error) = content.complete(&*handle, &source_path, &mut node) {
        run.entry_error(&path, &error);
    }
    Some(Opened {
        path,
        node,
        source_path,
        content,
        change,
        ticket,
    })
}

/// Reads the rest of a file, of which `beginning` was read, and stores it chunk by chunk.
pub(super) fn save_opened(run: &Arc<Run>, opened: Opened, beginning: &[u8]) {
    let Opened {
        path,
        node,
        source_path,
        mut content,
        change,
        ticket,
    } = opened;
    let saving = Arc::new(Saving {
        run: Arc::clone(run),
        path,
        change,
        chunks: Mutex::default(),
        remaining: AtomicUsize::new(1),
        added_bytes: AtomicU64::new(0),
        stored_bytes: AtomicU64::new(0),
        end: Mutex::new(Some((node, ticket))),
    });
    match saving.read(&mut *content, beginning, &source_path) {
        Ok(size_bytes) => {
            if let Some((node, _)) = &mut *saving.lock_end() {
                node.size_bytes = size_bytes;
            }
        }
        Err(error) => saving.leave_out(&error),
    }
    saving.one_less();
}

/// The error of a read that failed.
pub(super) fn unreadable(source_path: &[u8], error: &std::io::Error) -> EntryError {
    EntryError {
        path: source_path.to_vec(),
        during: "read",
        message: error.to_string(),
        vanished: false,
    }
}

impl Saving {
    /// Reads to the end, cutting chunks; returns the bytes that were read, whatever the size was said to be.
    fn read(
        self: &Arc<Self>,
        content: &mut dyn Content,
        beginning: &[u8],
        source_path: &[u8],
    ) -> Result<u64, EntryError> {
        let buffers = &self.run.chunk_buffers;
        let mut total = beginning.len() as u64;
        self.run.read(total);
        let mut slot: usize = 0;
        let mut scanned = 0;
        let mut at_end = false;
        let mut chunk = Chunk::beginning(beginning, buffers);
        while !self.run.is_over() {
            match self.run.chunker.next_cut(chunk.bytes(), scanned, at_end) {
                Cut::At(length) if at_end && length == chunk.bytes().len() => {
                    if length > 0 {
                        self.lock_chunks().push(None);
                        self.store_here(slot, chunk.bytes());
                    }
                    break;
                }
                Cut::At(length) => {
                    let rest = chunk.cut(length, buffers);
                    self.store(slot, std::mem::replace(&mut chunk, rest));
                    slot = slot.saturating_add(1);
                    scanned = 0;
                }
                Cut::NeedMore { scanned: so_far } => {
                    scanned = so_far;
                    let read = chunk.read(content);
                    let (count, ended) = read.map_err(|error| unreadable(source_path, &error))?;
                    at_end = ended;
                    total = total.saturating_add(count as u64);
                    self.run.read(count as u64);
                }
            }
        }
        content.finish()?;
        Ok(total)
    }

    /// Stores a chunk: on another thread if one may be free, otherwise here.
    fn store(self: &Arc<Self>, slot: usize, chunk: Chunk) {
        self.lock_chunks().push(None);
        if !self.run.hand_out() {
            return self.store_here(slot, chunk.bytes());
        }
        self.remaining.fetch_add(1, Ordering::AcqRel);
        let this = Arc::clone(self);
        self.run.repository.workers().spawn(move || {
            this.store_here(slot, chunk.bytes());
            drop(chunk);
            this.run.handed_back();
            this.one_less();
        });
    }

    fn store_here(&self, slot: usize, chunk: &[u8]) {
        if self.run.is_over() {
            return;
        }
        match self.run.writer.store(BlobKind::Data, chunk) {
            Ok(stored) => {
                if let Some(place) = self.lock_chunks().get_mut(slot) {
                    *place = Some(stored.id);
                }
                if stored.is_new {
                    self.added_bytes
                        .fetch_add(stored.plain_bytes, Ordering::Relaxed);
                    self.stored_bytes
                        .fetch_add(stored.stored_bytes, Ordering::Relaxed);
                }
            }
            Err(error) => self.run.fail(error),
        }
    }

    /// The file could not be read: it is left out of the snapshot. Chunks that were stored do no harm.
    fn leave_out(&self, error: &EntryError) {
        self.run.entry_error(&self.path, error);
        if let Some((_, ticket)) = self.lock_end().take() {
            ticket.complete(None);
        }
    }

    fn one_less(&self) {
        if self.remaining.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finish();
        }
    }

    fn finish(&self) {
        let Some((mut node, ticket)) = self.lock_end().take() else {
            return;
        };
        let content: Option<Vec<Id>> = self.lock_chunks().iter().copied().collect();
        // A chunk is missing only if the whole backup is over.
        if content.is_none() || self.run.is_over() {
            return ticket.complete(None);
        }
        node.content = content;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        report(
            &self.run,
            &self.path,
            &node,
            self.change,
            load(&self.added_bytes),
            load(&self.stored_bytes),
        );
        ticket.complete(Some(node));
    }

    fn lock_end(&self) -> std::sync::MutexGuard<'_, Option<(Node, Ticket)>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_chunks(&self) -> std::sync::MutexGuard<'_, Vec<Option<Id>>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
