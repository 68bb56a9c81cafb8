//! Saving small files, many at a time: their contents lie one behind the other in one piece of memory, are hashed side by
//! side, and compressed and encrypted while they are warm.
//!
//! Files wait in a queue, and as long as one waits a job that takes the next ones is waiting for a thread, or is at
//! work on taking them: so none is forgotten, and where files come faster than they are saved the batches get large.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::chunk;
use super::directory::Ticket;
use super::file::{self, Opened, Pending};
use super::run::Run;
use crate::format::{BlobKind, Id, Node, NodeKind};
use crate::progress::Change;
use strongroom_storage::{Buffer, Buffers};

/// Files below this are saved in batches. It is below the least length of a chunk, so each is one blob at most.
const SMALL_BYTES: u64 = 256 << 10;

/// Bytes of the files of a batch: they and what they are compressed to stay in the cache of one core.
const BATCH_BYTES: u64 = 1 << 20;

/// Files of a batch.
const BATCH_FILES: usize = 256;

/// Files that may wait. They take a few hundred bytes each.
const WAITING_MAX: usize = 4096;

/// Small files that wait for a thread.
pub(super) struct SmallFiles {
    waiting: Mutex<Waiting>,
    buffers: Buffers,
}

#[derive(Default)]
struct Waiting {
    files: VecDeque<Pending>,
    /// A job that takes some of them has been started and has not done so yet.
    is_awaited: bool,
}

impl SmallFiles {
    /// None waits yet; `threads` may save at the same time.
    pub fn new(threads: usize) -> Self {
        let bytes_max = usize::try_from(BATCH_BYTES + SMALL_BYTES).unwrap_or(usize::MAX);
        Self {
            waiting: Mutex::default(),
            buffers: Buffers::new(threads, 2 * bytes_max),
        }
    }

    /// The next batch, and whether more is left.
    fn take(&self, is_awaited: bool) -> (Vec<Pending>, bool) {
        let mut waiting = self.lock();
        let mut bytes: u64 = 0;
        let mut batch = Vec::new();
        while let Some(file) = waiting.files.front() {
            bytes = bytes.saturating_add(file.entry.node.size_bytes);
            if batch.len() >= BATCH_FILES || (bytes > BATCH_BYTES && !batch.is_empty()) {
                break;
            }
            batch.extend(waiting.files.pop_front());
        }
        let is_left = !waiting.files.is_empty();
        if is_awaited {
            waiting.is_awaited = is_left;
        }
        (batch, is_left)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file is small by what was seen when it was listed.
pub(super) fn is_small(node: &Node) -> bool {
    node.kind == NodeKind::File && node.size_bytes < SMALL_BYTES
}

/// Saves a file soon, on any thread. A directory of a million files does not queue them all: if too many wait, the
/// thread that lists them takes its share.
pub(super) fn save(run: &Arc<Run>, file: Pending) {
    let mut waiting = run.small_files.lock();
    waiting.files.push_back(file);
    let is_full = waiting.files.len() >= WAITING_MAX;
    let is_awaited = std::mem::replace(&mut waiting.is_awaited, true);
    drop(waiting);
    if !is_awaited {
        spawn(run);
    }
    if is_full {
        save_batch(run, run.small_files.take(false).0);
    }
}

fn spawn(run: &Arc<Run>) {
    let job = Arc::clone(run);
    run.repository.workers().spawn(move || {
        let (batch, is_left) = job.small_files.take(true);
        if is_left {
            spawn(&job);
        }
        save_batch(&job, batch);
    });
}

/// A file that was read and is closed again.
struct ReadFile {
    path: Vec<u8>,
    node: Node,
    change: Change,
    ticket: Ticket,
    /// Where its content lies in the memory of the batch.
    place: Range<usize>,
}

fn save_batch(run: &Arc<Run>, batch: Vec<Pending>) {
    let mut shelf = Shelf::new(&run.small_files.buffers);
    let mut files = Vec::with_capacity(batch.len());
    for file in batch {
        let listed_bytes = file.entry.node.size_bytes;
        match file::open(run, file) {
            // So the batch takes no more memory than the files were seen to have.
            Some(opened) if opened.node.size_bytes > listed_bytes => {
                file::save_opened(run, opened, &[]);
            }
            Some(opened) => files.extend(read(run, opened, &mut shelf)),
            None => {}
        }
    }
    let contents: Vec<&[u8]> = files
        .iter()
        .map(|file| shelf.content(&file.place))
        .collect();
    let ids = Id::of_each(&contents);
    drop(contents);
    for (file, id) in files.iter_mut().zip(&ids) {
        file.node.content = Some(match file.place.is_empty() {
            true => Vec::new(),
            false => vec![*id],
        });
    }
    for file in files {
        store(run, file, &shelf);
    }
}

/// Reads a file onto the shelf. One that turns out to be longer than it was goes the way of the large ones.
fn read(run: &Arc<Run>, mut opened: Opened, shelf: &mut Shelf) -> Option<ReadFile> {
    let begin = shelf.length;
    match shelf.read(&mut *opened.content, opened.node.size_bytes) {
        Ok(true) => {}
        Ok(false) => {
            file::save_opened(run, opened, shelf.content(&(begin..shelf.length)));
            shelf.length = begin;
            return None;
        }
        Err(error) => {
            let error = file::unreadable(&opened.source_path, &error);
            opened.leave_out(run, &error);
            return None;
        }
    }
    if let Err(error) = opened.content.finish() {
        opened.leave_out(run, &error);
        return None;
    }
    let place = begin..shelf.length;
    opened.node.size_bytes = place.len() as u64;
    run.read(opened.node.size_bytes);
    Some(ReadFile {
        path: opened.path,
        node: opened.node,
        change: opened.change,
        ticket: opened.ticket,
        place,
    })
}

fn store(run: &Run, file: ReadFile, shelf: &Shelf) {
    if run.is_over() {
        return file.ticket.complete(None);
    }
    let (mut added_bytes, mut stored_bytes) = (0, 0);
    for id in file.node.content.iter().flatten() {
        match run
            .writer
            .store_hashed(BlobKind::Data, *id, shelf.content(&file.place))
        {
            Ok(stored) if stored.is_new => {
                (added_bytes, stored_bytes) = (stored.plain_bytes, stored.stored_bytes);
            }
            Ok(_) => {}
            Err(error) => {
                run.fail(error);
                return file.ticket.complete(None);
            }
        }
    }
    super::directory::report(
        run,
        &file.path,
        &file.node,
        file.change,
        added_bytes,
        stored_bytes,
    );
    file.ticket.complete(Some(file.node));
}

/// Memory for the contents of a batch. It has had other content before and is not cleared: each file's is what was
/// read into its place and no byte more.
struct Shelf {
    memory: Buffer,
    length: usize,
}

impl Shelf {
    fn new(buffers: &Buffers) -> Self {
        Self {
            memory: buffers.take(),
            length: 0,
        }
    }

    fn content(&self, place: &Range<usize>) -> &[u8] {
        self.memory
            .get(..self.length)
            .and_then(|contents| contents.get(place.clone()))
            .unwrap_or_default()
    }

    /// Reads a content that is said to have so many bytes behind the others; `false` if it has more, of which some are
    /// read. On an error nothing is on the shelf of it.
    fn read(&mut self, content: &mut dyn Read, size_bytes: u64) -> io::Result<bool> {
        let begin = self.length;
        // One byte more: the read that leaves it empty has met the end.
        let size = usize::try_from(size_bytes).unwrap_or(0);
        let end = begin.saturating_add(size).saturating_add(1);
        let read = chunk::read_up_to(&mut self.memory, &mut self.length, end, content);
        if read.is_err() {
            self.length = begin;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte of one file in another one's blob would be a disclosure to whoever may restore that file.
    #[test]
    fn each_content_is_what_was_read_and_no_byte_of_another() {
        let buffers = Buffers::new(1, 1 << 20);
        let mut shelf = Shelf::new(&buffers);
        assert!(!shelf.read(&mut io::repeat(b's'), 100_000).unwrap());
        assert_eq!(shelf.length, 100_001);
        drop(shelf);

        let mut shelf = Shelf::new(&buffers);
        let mut places = Vec::new();
        // Said to have, and has.
        for (said, has) in [(10, 10), (0, 0), (10, 3), (3, 0), (7, 7)] {
            let begin = shelf.length;
            let content = vec![b'0' + has as u8; has];
            assert!(shelf.read(&mut content.as_slice(), said).unwrap());
            places.push((begin..shelf.length, content));
        }
        let begin = shelf.length;
        let mut failing = b"partly".chain(Failing);
        assert!(shelf.read(&mut failing, 100).is_err());
        assert_eq!(shelf.length, begin);
        for (place, content) in places {
            assert_eq!(shelf.content(&place), content);
        }
        assert_eq!(shelf.content(&(begin..begin + 1)), b"");
    }

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("a bad sector"))
        }
    }
}
