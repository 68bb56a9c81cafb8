//! Saving the content of files.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::chunk::Chunk;
use super::directory::{Ticket, report};
use super::run::Run;
use super::{Content, Entry, EntryError};
use crate::chunker::Cut;
use crate::format::{BlobKind, Id, Node};
use crate::progress::{Amount, Change};

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

/// Reads a file and stores it. A file that cannot be read (to its end) is left out and told of.
pub(super) fn save(
    run: &Arc<Run>,
    path: Vec<u8>,
    entry: Entry,
    previous: Option<Node>,
    ticket: Ticket,
) {
    if run.is_over() {
        return ticket.complete(None);
    }
    run.progress.current(&path);
    let Entry {
        mut node,
        handle,
        source_path,
    } = entry;
    let mut content = match open(&*handle, &mut node) {
        Ok(content) => content,
        Err(error) => {
            run.entry_error(&path, &error);
            return ticket.complete(None);
        }
    };
    if let Err(error) = content.complete(&*handle, &source_path, &mut node) {
        run.entry_error(&path, &error);
    }
    let saving = Arc::new(Saving {
        run: Arc::clone(run),
        path,
        change: if previous.is_some() {
            Change::Changed
        } else {
            Change::New
        },
        chunks: Mutex::default(),
        remaining: AtomicUsize::new(1),
        added_bytes: AtomicU64::new(0),
        stored_bytes: AtomicU64::new(0),
        end: Mutex::new(Some((node, ticket))),
    });
    match saving.read(&mut *content, &source_path) {
        Ok(size_bytes) => {
            if let Some((node, _)) = &mut *saving.lock_end() {
                node.size_bytes = size_bytes;
            }
        }
        Err(error) => saving.leave_out(&error),
    }
    saving.one_less();
}

fn open(handle: &dyn super::Handle, node: &mut Node) -> Result<Box<dyn Content>, EntryError> {
    let content = handle.open()?;
    content.refresh(node)?;
    Ok(content)
}

impl Saving {
    /// Reads to the end, cutting chunks; returns the bytes that were read, whatever the size was said to be.
    fn read(
        self: &Arc<Self>,
        content: &mut dyn Content,
        source_path: &[u8],
    ) -> Result<u64, EntryError> {
        let buffers = &self.run.chunk_buffers;
        let mut total: u64 = 0;
        let mut slot: usize = 0;
        let mut scanned = 0;
        let mut at_end = false;
        let mut chunk = Chunk::new(buffers);
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
                    let (count, ended) = chunk.read(content).map_err(|error| EntryError {
                        path: source_path.to_vec(),
                        during: "read",
                        message: error.to_string(),
                        vanished: false,
                    })?;
                    at_end = ended;
                    total = total.saturating_add(count as u64);
                    self.run.progress.advance(Amount {
                        bytes: count as u64,
                        ..Amount::default()
                    });
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
