//! Counts what an operation does and shows it now and then. Counting is a handful of atomics; a thread of its own draws.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use strongroom_repository::progress::{Amount, Change, Item, Phase, Progress};

use super::counters::Counters;
pub use super::counters::Pace;
use super::render::Renderer;
use super::{Output, escape, lock};

/// What the operation is for the user; decides the words and the JSON messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    Backup,
    Restore,
    /// Everything else has a bar on a terminal and no JSON of its own.
    Other,
}

/// The state of the operation, written by the engine's threads and read by the drawing one.
pub(super) struct State {
    pub(super) output: Arc<Output>,
    pub(super) activity: Activity,
    pub(super) started: Instant,
    /// What the work is about, where several go on at the same time.
    pub(super) about: Option<String>,
    phase: Mutex<Option<(Phase, Instant)>>,
    total: Counters,
    /// What a scan beside the operation has found; no phase resets it.
    expected: Counters,
    done: Counters,
    skipped: Counters,
    deleted: AtomicU64,
    total_known: AtomicBool,
    expected_known: AtomicBool,
    pub(super) errors: AtomicU64,
    current: Mutex<Vec<u8>>,
}

impl State {
    pub(super) fn phase(&self) -> Option<(Phase, Instant)> {
        *lock(&self.phase)
    }

    pub(super) fn total(&self) -> Amount {
        let (total, expected) = (self.total.get(), self.expected.get());
        Amount {
            files: total.files.saturating_add(expected.files),
            bytes: total.bytes.saturating_add(expected.bytes),
            items: total.items,
        }
    }

    pub(super) fn is_total_known(&self) -> bool {
        self.total_known.load(Relaxed) || self.expected_known.load(Relaxed)
    }

    pub(super) fn done(&self) -> Amount {
        self.done.get()
    }

    pub(super) fn skipped(&self) -> Amount {
        self.skipped.get()
    }

    pub(super) fn deleted(&self) -> u64 {
        self.deleted.load(Relaxed)
    }

    pub(super) fn current(&self) -> Vec<u8> {
        lock(&self.current).clone()
    }
}

/// How many entry errors a person is shown; all of them are in the JSON.
const ERRORS_SHOWN: u64 = 50;

impl Progress for State {
    fn begin(&self, phase: Phase) {
        *lock(&self.phase) = Some((phase, Instant::now()));
        self.total.reset();
        self.done.reset();
        self.total_known.store(false, Relaxed);
        lock(&self.current).clear();
    }

    fn add_total(&self, amount: Amount) {
        self.total.add(amount);
    }

    fn total_known(&self) {
        self.total_known.store(true, Relaxed);
    }

    fn advance(&self, amount: Amount) {
        self.done.add(amount);
    }

    fn current(&self, path: &[u8]) {
        // Whoever finds it taken leaves the other's path: one of them is as true as the other.
        if let Ok(mut current) = self.current.try_lock() {
            current.clear();
            current.extend_from_slice(path);
        }
    }

    fn item(&self, item: &Item<'_>) {
        match item.change {
            Change::Unchanged | Change::Skipped => self.skipped.add(Amount {
                files: 1,
                bytes: item.node.size_bytes,
                items: 0,
            }),
            Change::Deleted => {
                self.deleted.fetch_add(1, Relaxed);
            }
            Change::New | Change::Changed => {}
        }
        if self.output.style.verbosity >= 2 {
            self.tell_item(item);
        }
    }

    fn entry_error(&self, path: &[u8], during: &str, error: &str) {
        let before = self.errors.fetch_add(1, Relaxed);
        let output = &self.output;
        if output.is_json() {
            output.aside(json!({
                "message_type": "error",
                "error": {"message": error},
                "during": during,
                "item": String::from_utf8_lossy(path),
            }));
        } else if before < ERRORS_SHOWN {
            let (path, error) = (escape::name(path), escape::text(error));
            let label = output.coloured("error:", "1;31");
            output.aside(format_args!("{label} {during} {path}: {error}"));
        } else if before == ERRORS_SHOWN {
            output.aside("more errors follow; --json lists all of them");
        }
    }

    fn warning(&self, message: &str) {
        self.output.warning(message);
    }
}

/// Shows an operation while it runs; dropping it ends the display.
pub struct Meter {
    state: Arc<State>,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Meter {
    /// Begins to show.
    pub fn start(output: &Arc<Output>, activity: Activity, pace: Pace) -> Self {
        Self::new(output, activity, pace, None)
    }

    /// Begins to show one of several works that go on at the same time: in lines that name it, since there is one bar.
    pub fn start_about(output: &Arc<Output>, pace: Pace, about: String) -> Self {
        Self::new(output, Activity::Other, pace, Some(about))
    }

    fn new(output: &Arc<Output>, activity: Activity, pace: Pace, about: Option<String>) -> Self {
        let is_alone = about.is_none();
        let state = Arc::new(State {
            output: Arc::clone(output),
            activity,
            started: Instant::now(),
            about,
            phase: Mutex::default(),
            total: Counters::default(),
            expected: Counters::default(),
            expected_known: AtomicBool::new(false),
            done: Counters::default(),
            skipped: Counters::default(),
            deleted: AtomicU64::new(0),
            total_known: AtomicBool::new(false),
            errors: AtomicU64::new(0),
            current: Mutex::default(),
        });
        let drawing = Renderer::new(output, activity, is_alone).map(|renderer| {
            let (stop, stopped) = channel();
            let state = Arc::clone(&state);
            let thread = std::thread::spawn(move || {
                let every = renderer.interval(pace);
                let mut renderer = renderer;
                while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    renderer.show(&state);
                }
                renderer.clear(&state);
            });
            (stop, thread)
        });
        Self { state, drawing }
    }

    /// What the engine reports to.
    pub fn progress(&self) -> &dyn Progress {
        &*self.state
    }

    /// The same for work that outlives a borrow.
    pub fn shared(&self) -> Arc<dyn Progress> {
        Arc::clone(&self.state) as Arc<dyn Progress>
    }

    /// Adds what a scan beside the operation has found.
    pub fn scanner(&self) -> Scanner {
        Scanner(Arc::clone(&self.state))
    }

    /// Time since the operation began.
    pub fn elapsed(&self) -> Duration {
        self.state.started.elapsed()
    }

    /// Entries that could not be read or written.
    pub fn errors(&self) -> u64 {
        self.state.errors.load(Relaxed)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            // A panic of the drawing thread costs the display alone.
            let _ = thread.join();
        }
    }
}

/// Tells a meter how much there will be.
#[derive(Clone)]
pub struct Scanner(Arc<State>);

impl Scanner {
    /// More has been found.
    pub fn found(&self, amount: Amount) {
        self.0.expected.add(amount);
    }

    /// Everything has been found.
    pub fn finish(&self) {
        self.0.expected_known.store(true, Relaxed);
        self.0.scan_finished();
    }
}
