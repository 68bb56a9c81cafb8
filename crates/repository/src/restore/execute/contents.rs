//! The contents of files: packs are read in order, each needed range once, and every blob goes to all of its places.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use super::Run;
use super::file_run::FileRun;
use super::outcome::{Event, Outcome};
use crate::format::BlobKind;
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

/// What the tasks that write share.
struct Writing {
    plan: Arc<RestorePlan>,
    fetch: Fetch,
    /// By the number of the entry.
    files: HashMap<usize, FileRun>,
}

/// What came of a blob.
type Decoded = (usize, Result<Vec<u8>>);

impl Run<'_> {
    pub(super) async fn write_contents(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        if outcome.is_stopped() {
            return Ok(());
        }
        let writing = Arc::new(self.prepare(outcome));
        let ranges = writing.fetch.ranges();
        let budget = self.plan.options.memory_bytes.max(MEMORY_BYTES_MIN) / PERMIT_BYTES;
        let budget = u32::try_from(budget).unwrap_or(u32::MAX);
        let memory = Semaphore::new(usize::try_from(budget).unwrap_or(usize::MAX));
        let at_once = self.repository.storage().capabilities().connections.max(1)
            + self.repository.workers().threads();
        let stop = tokio_util::sync::CancellationToken::new();
        self.write_without_fetching(&writing, outcome).await?;
        let mut done = stream::iter(&ranges)
            .take_while(|_| std::future::ready(!self.cancel.is_cancelled() && !stop.is_cancelled()))
            .map(|range| self.restore_range(&writing, range, &memory, budget))
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
        memory: &Semaphore,
        budget: u32,
    ) -> (Vec<Event>, Option<Error>) {
        let bytes = range.length.saturating_add(range.plain_bytes);
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES))
            .unwrap_or(u32::MAX)
            .clamp(1, budget);
        let Ok(_permit) = memory.acquire_many(permits).await else {
            return (Vec::new(), Some(Error::cancelled()));
        };
        if self.cancel.is_cancelled() {
            return (Vec::new(), None);
        }
        match self.decode_range(writing, range).await {
            Ok(decoded) => {
                let (writing, written) = (Arc::clone(writing), decoded);
                match blocking(move || writing.write(written)).await {
                    Ok(events) => (events, None),
                    Err(error) => (Vec::new(), Some(error)),
                }
            }
            Err(error) => (Vec::new(), Some(error)),
        }
    }

    /// The blobs of a range. `Err` inside where no copy of a blob is whole, outside where the storage fails and the
    /// restore shall not go on without.
    async fn decode_range(
        &self,
        writing: &Arc<Writing>,
        range: &PackRange,
    ) -> Result<Vec<Decoded>> {
        let wanted = strongroom_storage::ByteRange {
            offset: range.start,
            length: range.length,
        };
        let loaded = self
            .repository
            .load_pack_range(BlobKind::Data, &range.pack, Some(wanted))
            .await;
        let mut decoded = match loaded {
            Ok(stored) => {
                let (repository, writing) = (self.repository.clone(), Arc::clone(writing));
                let range = range.clone();
                let job = move || decode(&repository, &writing.fetch, &range, &stored);
                self.repository.workers().run(job).await?
            }
            Err(error) => {
                let message = error.to_string();
                range
                    .blobs
                    .clone()
                    .map(|number| (number, Err(Error::new(error.kind(), message.clone()))))
                    .collect()
            }
        };
        for (number, content) in &mut decoded {
            if content.is_err() {
                *content = self.other_copy(&writing.fetch, *number, content).await;
            }
            if let Err(error) = content
                && error.kind() == ErrorKind::Storage
                && !self.plan.options.allow_partial
            {
                return Err(Error::new(error.kind(), error.to_string()));
            }
        }
        Ok(decoded)
    }

    /// A blob may be stored more than once; a damaged copy is no loss then.
    async fn other_copy(
        &self,
        fetch: &Fetch,
        number: usize,
        failed: &Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let first = match failed {
            Err(error) => Error::new(error.kind(), error.to_string()),
            Ok(_) => Error::new(ErrorKind::Internal, "a whole blob is looked for again"),
        };
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

fn decode(
    repository: &crate::Repository,
    fetch: &Fetch,
    range: &PackRange,
    stored: &[u8],
) -> Vec<Decoded> {
    range
        .blobs
        .clone()
        .map(|number| {
            let content = fetch.blob(number).and_then(|blob| {
                let start = u64::from(blob.location.offset).checked_sub(range.start)?;
                let start = usize::try_from(start).ok()?;
                let end = start.checked_add(usize::try_from(blob.location.length).ok()?)?;
                Some((blob, stored.get(start..end)?))
            });
            let content = match content {
                Some((blob, stored)) => repository.decode_blob(&blob.id, &blob.location, stored),
                None => Err(Error::damaged("the pack is too short")),
            };
            (number, content)
        })
        .collect()
}

impl Writing {
    fn write(&self, blobs: Vec<Decoded>) -> Vec<Event> {
        let mut events = Vec::new();
        for (number, content) in blobs {
            let zero = content.as_ref().is_ok_and(|data| is_zero(data));
            for place in self.fetch.uses(number) {
                let Some(file) = self.files.get(&place.entry) else {
                    continue;
                };
                events.extend(match &content {
                    Ok(data) => file.write(&self.plan, place.offset, data, zero),
                    Err(error) => file.lose(&self.plan, &error.to_string(), error.kind()),
                });
            }
        }
        events
    }
}

fn is_zero(data: &[u8]) -> bool {
    data.iter().all(|&byte| byte == 0)
}
