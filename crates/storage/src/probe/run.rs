//! The steps in their order, and what they share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::names::Names;
use super::report::{Ability, Found, Leftovers, ProbeReport, ProbeStep, Tried, Verdict};
use crate::{
    Capabilities, Class, ErrorKind, Operation, Result, Storage, StorageError, StoragePath,
    WriteMode,
};

/// Size of the large file where none is asked for.
pub const STANDARD_BYTES: u64 = 16 << 20;

/// Largest file that may be asked for; it is held in memory twice.
pub const LARGEST_BYTES: u64 = 1 << 30;

/// Bytes of a small file.
pub(super) const SMALL_BYTES: usize = 4096;

/// Pauses before a storage is asked again that does not show a change yet.
pub(super) const LATE: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// How a probe is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProbeSettings {
    /// Size of the large file, at most [`LARGEST_BYTES`]; without it [`STANDARD_BYTES`], and no such file where it could not
    /// be removed afterwards.
    pub size_bytes: Option<u64>,
}

/// One probe of a storage.
#[derive(Debug)]
pub struct Probe {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) settings: ProbeSettings,
    pub(super) names: Names,
    /// Whatever may lie there, noted before it is written.
    written: Mutex<BTreeSet<StoragePath>>,
}

/// What one step came to; an error of the storage ends the probe.
pub(super) struct Step {
    pub(super) verdict: Verdict,
    pub(super) bytes: u64,
    pub(super) note: Option<String>,
}

impl Step {
    pub(super) fn good() -> Self {
        Self::of(Verdict::Good)
    }

    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::of(Verdict::Broken(what.into()))
    }

    pub(super) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            bytes: 0,
            note: None,
        }
    }

    pub(super) fn bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    pub(super) fn note(self, note: impl Into<String>) -> Self {
        let note = Some(note.into());
        Self { note, ..self }
    }
}

/// What steps have learned so far.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Whether files may have names of their own.
    pub(super) own: bool,
    /// The first small file and what it holds now.
    pub(super) small: Option<(StoragePath, Bytes)>,
    /// The second one, which is listed and removed.
    pub(super) second: Option<StoragePath>,
    pub(super) large: Option<(StoragePath, Bytes)>,
    pub(super) deletes: Option<bool>,
    pub(super) atomic_new: Option<bool>,
    pub(super) atomic_replace: Option<bool>,
    pub(super) whole_files: Option<bool>,
    pub(super) confirms_writes: Option<bool>,
    pub(super) own_folders: Option<bool>,
    /// Pauses of the step that runs.
    pub(super) paused: Duration,
}

impl Probe {
    /// A probe of this storage; touches nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the system gives no random numbers.
    pub fn new(storage: Arc<dyn Storage>, settings: ProbeSettings) -> Result<Self> {
        let names = Names::new(&*storage)?;
        Ok(Self {
            storage,
            settings,
            names,
            written: Mutex::default(),
        })
    }

    /// Tries everything; `told` hears of each step when it ends. Call [`Self::clean_up`] afterwards, and also where this was
    /// dropped on the way.
    pub async fn run(&self, told: impl Fn(&Tried)) -> ProbeReport {
        let mut state = State::default();
        let mut tried = Vec::new();
        for step in STEPS {
            state.paused = Duration::ZERO;
            let start = Instant::now();
            let done = self.step(step, &mut state).await;
            let elapsed = start.elapsed().saturating_sub(state.paused);
            let done = done.unwrap_or_else(|error| Step::of(Verdict::Failed(error)));
            let is_over = matches!(done.verdict, Verdict::Failed(_));
            let one = Tried {
                step,
                verdict: done.verdict,
                elapsed,
                bytes: done.bytes,
                note: done.note,
            };
            told(&one);
            tried.push(one);
            if is_over {
                break;
            }
        }
        let declared = self.storage.capabilities();
        ProbeReport {
            tried,
            found: found(&state, declared),
            connections: declared.connections,
            local: declared.local,
            must_be_created: declared.must_be_created,
            clock_ahead_s: self.storage.clock_ahead_s(),
        }
    }

    async fn step(&self, step: ProbeStep, state: &mut State) -> Result<Step> {
        match step {
            ProbeStep::FirstContact => self.first_contact(state).await,
            ProbeStep::Write => self.write_small(state).await,
            ProbeStep::Stat => self.stat_small(state).await,
            ProbeStep::Read => self.read_small(state).await,
            ProbeStep::Range => self.ranges(state).await,
            ProbeStep::List => self.list_at_once(state).await,
            ProbeStep::Delete => self.delete(state).await,
            ProbeStep::ReadAfterDelete => self.look_for_deleted(state).await,
            ProbeStep::NewOverExisting => self.new_over_existing(state).await,
            ProbeStep::Replace => self.replace(state).await,
            ProbeStep::TwoWriters => self.two_writers(state).await,
            ProbeStep::AtOnce => self.several(state).await,
            ProbeStep::Upload => self.upload(state).await,
            ProbeStep::Download => self.download(state).await,
            ProbeStep::StillThere => self.still_there(state).await,
            ProbeStep::OwnFolders => self.own_folders(state).await,
            ProbeStep::Clock => Ok(self.clock()),
        }
    }

    /// Removes everything that was written, also by calls that were dropped. Tells what could not be removed.
    pub async fn clean_up(&self) -> Leftovers {
        let mut paths = std::mem::take(&mut *self.written());
        let mut left = Leftovers::default();
        let folder = match self.names.folder() {
            Ok(folder) if paths.iter().any(|path| path.is_below(&folder)) => Some(folder),
            _ => None,
        };
        if let Some(folder) = &folder
            && let Ok(listed) = self.storage.list(Some(folder)).await
        {
            paths.extend(listed.into_iter().map(|file| file.path));
        }
        let at_once = self.storage.capabilities().connections.max(1);
        let removals = paths.into_iter().map(async |path| {
            let removed = self.storage.delete(&path).await;
            (path, removed)
        });
        let mut removed = stream::iter(removals).buffer_unordered(at_once);
        while let Some((path, removed)) = removed.next().await {
            match removed {
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => {
                    // A call that was never answered, or a file that was never stored, leaves nothing.
                    if !self.is_surely_absent(&path).await {
                        left.paths.push(path);
                        left.why.get_or_insert(error);
                    }
                }
            }
        }
        if let (Some(folder), true) = (folder, left.paths.is_empty()) {
            // An empty folder is no harm, and on most kinds there is none.
            let _ = self.storage.remove_empty_folder(&folder).await;
        }
        left.paths.sort();
        left
    }

    async fn is_surely_absent(&self, path: &StoragePath) -> bool {
        let stat = self.storage.stat(path).await;
        stat.is_err_and(|error| error.kind == ErrorKind::NotFound)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, BTreeSet<StoragePath>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file, which the end removes.
    pub(super) async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
    ) -> Result<()> {
        self.written().insert(path.clone());
        self.storage.write(path, data, mode, Class::Data).await
    }

    /// A name for a file of these bytes.
    pub(super) fn name(&self, state: &State, label: &str, data: &[u8]) -> Result<StoragePath> {
        match state.own {
            true => self.names.in_folder(label),
            false => self.names.pack(data),
        }
    }

    pub(super) fn random(&self, length: usize) -> Result<Bytes> {
        random(length, &self.storage.location()).map(Bytes::from)
    }

    pub(super) async fn pause(&self, state: &mut State, pause: Duration) {
        state.paused = state.paused.saturating_add(pause);
        tokio::time::sleep(pause).await;
    }

    fn clock(&self) -> Step {
        match self.storage.clock_ahead_s() {
            None => Step::of(Verdict::LeftOut("not told".to_owned())),
            Some(-2..=2) => Step::good().note("in step with this machine's"),
            Some(ahead @ 3..) => Step::good().note(format!("{ahead} s ahead of this machine's")),
            Some(behind) => {
                let behind = behind.unsigned_abs();
                Step::good().note(format!("{behind} s behind this machine's"))
            }
        }
    }
}

const STEPS: [ProbeStep; 17] = [
    ProbeStep::FirstContact,
    ProbeStep::Write,
    ProbeStep::Stat,
    ProbeStep::Read,
    ProbeStep::Range,
    ProbeStep::List,
    ProbeStep::Delete,
    ProbeStep::ReadAfterDelete,
    ProbeStep::NewOverExisting,
    ProbeStep::Replace,
    ProbeStep::TwoWriters,
    ProbeStep::AtOnce,
    ProbeStep::Upload,
    ProbeStep::Download,
    ProbeStep::StillThere,
    ProbeStep::OwnFolders,
    ProbeStep::Clock,
];

fn found(state: &State, declared: Capabilities) -> Vec<Found> {
    let one = |ability, declared, observed| Found {
        ability,
        declared,
        observed,
    };
    vec![
        one(
            Ability::AtomicNew,
            Some(declared.atomic_new),
            state.atomic_new,
        ),
        one(
            Ability::AtomicReplace,
            Some(declared.atomic_replace),
            state.atomic_replace,
        ),
        one(
            Ability::WholeFiles,
            Some(declared.whole_files),
            state.whole_files,
        ),
        one(
            Ability::ConfirmsWrites,
            Some(declared.confirms_writes),
            state.confirms_writes,
        ),
        one(
            Ability::OwnFolders,
            Some(declared.own_folders),
            state.own_folders,
        ),
        one(Ability::Deletes, None, state.deletes),
    ]
}

/// Random bytes, so that nothing on the way can make them smaller than they are.
pub(super) fn random(length: usize, location: &str) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|e| {
        let message = format!("random numbers: {e}");
        StorageError::new(ErrorKind::Io, Operation::Write, location, None, message)
    })?;
    Ok(bytes)
}
