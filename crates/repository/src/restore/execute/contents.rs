//! The contents of files: packs are read in order, each needed range once, and every blob goes to all of its places.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use super::Run;
use super::file_run::FileRun;
use super::outcome::{Event, Outcome};
use crate::format::BlobKind;
use crate::repository::{BlobMemory, IdleMemory, StoredBlob};
use crate::restore::RestorePlan;
use crate::restore::blocking::blocking;
use crate::restore::fetch::{Fetch, PackRange};
use crate::restore::plan::Step;
use crate::{Error, ErrorKind, Result};

/// Files without content from the repository that one task makes, and tasks at once.
const CHUNK: usize = 64;
const AT_ONCE: usize = 8;
/// The memory budget is counted in pieces of this size.
const PERMIT_BYTES: u64 = 64 * 1024;
const MEMORY_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Tasks that decode and write at once, at least: one more than the cores of a small machine, so that a target that makes
/// us wait does not keep the others idle; each more would only fight for the directories' locks.
const WRITERS_MIN: usize = 3;

/// What bounds the tasks.
struct Budgets {
    /// All permits of the memory.
    permits: u32,
    memory: Semaphore,
    writers: Semaphore,
    idle: Arc<IdleMemory>,
}

/// What the tasks that write share.
struct Writing {
    plan: Arc<RestorePlan>,
    fetch: Fetch,
    /// By the number of the entry.
    files: HashMap<usize, FileRun>,
}

/// What came of a range: what happened to files, and the blobs that could not be decoded.
#[derive(Default)]
struct Written {
    events: Vec<Event>,
    failed: Vec<(usize, Error)>,
}

impl Run<'_> {
    pub(super) async fn write_contents(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        if outcome.is_stopped() {
            return Ok(());
        }
        let writing = Arc::new(self.prepare(outcome));
        let ranges = writing.fetch.ranges();
        let budget = self.plan.options.memory_bytes.max(MEMORY_BYTES_MIN) / PERMIT_BYTES;
        let budget = u32::try_from(budget).unwrap_or(u32::MAX);
        let budgets = Budgets {
            permits: budget,
            memory: Semaphore::new(usize::try_from(budget).unwrap_or(usize::MAX)),
            writers: Semaphore::new(self.repository.workers().threads().max(WRITERS_MIN)),
            idle: Arc::default(),
        };
        let at_once = self.repository.storage().capabilities().connections.max(1)
            + self.repository.workers().threads();
        let stop = tokio_util::sync::CancellationToken::new();
        self.write_without_fetching(&writing, outcome).await?;
        let mut done = stream::iter(&ranges)
            .take_while(|_| std::future::ready(!self.cancel.is_cancelled() && !stop.is_cancelled()))
            .map(|range| self.restore_range(&writing, range, &budgets))
            .buffer_unordered(at_once);
        while let Some((events, failure)) = done.next().await {
            outcome.take(events);
            if let Some(error) = failure {
                outcome.stop(error);
            }
            if outcome.is_stopped() {
                stop.cancel();
            }
        }
        drop(done);
        if self.cancel.is_cancelled() {
            outcome.stop(Error::cancelled());
        }
        if outcome.is_full() {
            // Whoever frees space does not know these files.
            blocking(move || writing.files.values().for_each(FileRun::abandon)).await?;
        } else if outcome.is_stopped() {
            let leave = move || writing.files.values().filter(|file| file.leave()).count();
            outcome.unfinished(blocking(leave).await? as u64);
        }
        Ok(())
    }

    fn prepare(&self, outcome: &Outcome<'_>) -> Writing {
        let fetch = Fetch::gather(self.index, &self.plan.entries, |id| {
            self.plan.packs.place(self.index, id)
        });
        let writes = fetch.writes(self.plan.entries.len());
        let files = (0..)
            .zip(&self.plan.entries)
            .filter(|(number, entry)| {
                matches!(entry.step, Step::WriteFile(_)) && outcome.is_open(*number)
            })
            .map(|(number, _)| {
                (
                    number,
                    FileRun::new(number, writes.get(number).copied().unwrap_or(0)),
                )
            })
            .collect();
        Writing {
            plan: Arc::clone(&self.plan),
            fetch,
            files,
        }
    }

    /// Empty files, and those of which the target has everything.
    async fn write_without_fetching(
        &self,
        writing: &Arc<Writing>,
        outcome: &mut Outcome<'_>,
    ) -> Result<()> {
        let mut numbers: Vec<usize> = writing
            .files
            .iter()
            .filter(|(_, file)| file.is_complete())
            .map(|(number, _)| *number)
            .collect();
        numbers.sort_unstable();
        let mut chunks = stream::iter(numbers.chunks(CHUNK))
            .take_while(|_| std::future::ready(!self.cancel.is_cancelled()))
            .map(|chunk| {
                let (writing, chunk) = (Arc::clone(writing), chunk.to_vec());
                blocking(move || {
                    let files = chunk.iter().filter_map(|number| writing.files.get(number));
                    files
                        .flat_map(|file| file.complete(&writing.plan))
                        .collect::<Vec<_>>()
                })
            })
            .buffer_unordered(AT_ONCE);
        while let Some(events) = chunks.next().await {
            outcome.take(events?);
        }
        Ok(())
    }

    /// Reads a range, decodes its blobs and writes them. The error is one that ends the restore.
    async fn restore_range(
        &self,
        writing: &Arc<Writing>,
        range: &PackRange,
        budgets: &Budgets,
    ) -> (Vec<Event>, Option<Error>) {
        let bytes = range.length.saturating_add(range.plain_bytes);
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES))
            .unwrap_or(u32::MAX)
            .clamp(1, budgets.permits);
        let Ok(_permit) = budgets.memory.acquire_many(permits).await else {
            return (Vec::new(), Some(Error::cancelled()));
        };
        if self.cancel.is_cancelled() {
            return (Vec::new(), None);
        }
        let mut events = Vec::new();
        let failed = self.write_range(writing, range, budgets, &mut events);
        let failure = match failed.await {
            Ok(failed) => self.write_other_copies(writing, failed, &mut events).await,
            Err(error) => Some(error),
        };
        (events, failure)
    }

    /// Returns the blobs that could not be decoded.
    async fn write_range(
        &self,
        writing: &Arc<Writing>,
        range: &PackRange,
        budgets: &Budgets,
        events: &mut Vec<Event>,
    ) -> Result<Vec<(usize, Error)>> {
        let wanted = strongroom_storage::ByteRange {
            offset: range.start,
            length: range.length,
        };
        let loaded = self
            .repository
            .load_pack_range(BlobKind::Data, &range.pack, Some(wanted))
            .await;
        let stored = match loaded {
            Ok(stored) => stored,
            Err(error) => {
                let again = || Error::new(error.kind(), error.to_string());
                return Ok(range
                    .blobs
                    .clone()
                    .map(|number| (number, again()))
                    .collect());
            }
        };
        let _writer = budgets.writers.acquire().await;
        let (repository, writing) = (self.repository.clone(), Arc::clone(writing));
        let range = range.clone();
        let idle = Arc::clone(&budgets.idle);
        let job =
            move || idle.lend(|memory| writing.write_range(&repository, &range, &stored, memory));
        let written = blocking(job).await?;
        events.extend(written.events);
        Ok(written.failed)
    }

    /// A blob may be stored more than once; a damaged copy is no loss then.
    async fn write_other_copies(
        &self,
        writing: &Arc<Writing>,
        failed: Vec<(usize, Error)>,
        events: &mut Vec<Event>,
    ) -> Option<Error> {
        for (number, error) in failed {
            let content = self.other_copy(&writing.fetch, number, error).await;
            if let Err(error) = &content
                && error.kind() == ErrorKind::Storage
                && !self.plan.options.allow_partial
            {
                return Some(Error::new(error.kind(), error.to_string()));
            }
            let writing = Arc::clone(writing);
            let written = blocking(move || {
                let mut events = Vec::new();
                match &content {
                    Ok(content) => writing.write(number, content, &mut events),
                    Err(error) => writing.lose(number, error, &mut events),
                }
                events
            });
            match written.await {
                Ok(written) => events.extend(written),
                Err(error) => return Some(error),
            }
        }
        None
    }

    async fn other_copy(&self, fetch: &Fetch, number: usize, first: Error) -> Result<Vec<u8>> {
        let Some(blob) = fetch.blob(number) else {
            return Err(first);
        };
        for location in self.index.locate_all(BlobKind::Data, &blob.id) {
            if location != blob.location
                && let Ok(content) = self
                    .repository
                    .load_blob_at(BlobKind::Data, &blob.id, &location)
                    .await
            {
                return Ok(content);
            }
        }
        Err(first)
    }
}

impl Writing {
    /// Decodes each blob of a range and writes it where it goes while it is warm.
    fn write_range(
        &self,
        repository: &crate::Repository,
        range: &PackRange,
        stored: &[u8],
        memory: &mut BlobMemory,
    ) -> Written {
        let mut written = Written::default();
        let mut numbers = Vec::with_capacity(range.blobs.len());
        let mut blobs = Vec::with_capacity(range.blobs.len());
        for number in range.blobs.clone() {
            match self.blob_in(range, stored, number) {
                Some(blob) => {
                    numbers.push(number);
                    blobs.push(blob);
                }
                None => {
                    let error = Error::damaged("the pack is too short");
                    written.failed.push((number, error));
                }
            }
        }
        repository.decode_blobs(memory, &blobs, |position, content| {
            let Some(number) = numbers.get(position).copied() else {
                return;
            };
            match content {
                Ok(content) => self.write(number, content, &mut written.events),
                Err(error) => written.failed.push((number, error)),
            }
        });
        written
    }

    fn blob_in<'a>(
        &self,
        range: &PackRange,
        stored: &'a [u8],
        number: usize,
    ) -> Option<StoredBlob<'a>> {
        let blob = self.fetch.blob(number)?;
        let start = u64::from(blob.location.offset).checked_sub(range.start)?;
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(blob.location.length).ok()?)?;
        Some(StoredBlob {
            id: blob.id,
            location: blob.location,
            stored: stored.get(start..end)?,
        })
    }

    /// Writes a blob to all of its places.
    fn write(&self, number: usize, content: &[u8], events: &mut Vec<Event>) {
        let zero = is_zero(content);
        for (file, offset) in self.places(number) {
            file.write(&self.plan, offset, content, zero, events);
        }
    }

    /// No copy of a blob is whole.
    fn lose(&self, number: usize, error: &Error, events: &mut Vec<Event>) {
        for (file, _) in self.places(number) {
            file.lose(&self.plan, &error.to_string(), error.kind(), events);
        }
    }

    fn places(&self, number: usize) -> impl Iterator<Item = (&FileRun, u64)> {
        let places = self.fetch.uses(number).iter();
        places.filter_map(|place| Some((self.files.get(&place.entry)?, place.offset)))
    }
}

fn is_zero(data: &[u8]) -> bool {
    data.iter().all(|&byte| byte == 0)
}
