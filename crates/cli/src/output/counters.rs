//! Counters that many threads add to, and how often they are shown.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use strongroom_repository::progress::Amount;

/// How often the state is shown.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// On a terminal.
    pub live: Duration,
    /// As JSON.
    pub json: Duration,
    /// As a line in a log.
    pub log: Duration,
}

impl Pace {
    /// Ten times a second, once a second, twice a minute; `frames_per_second` (`STRONGROOM_PROGRESS_FPS`) replaces all three.
    pub fn new(frames_per_second: Option<f64>) -> Self {
        let wanted = frames_per_second
            .filter(|fps| *fps > 0.0)
            .and_then(|fps| Duration::try_from_secs_f64(1.0 / fps.clamp(1e-5, 60.0)).ok());
        Self {
            live: wanted.unwrap_or(Duration::from_millis(100)),
            json: wanted.unwrap_or(Duration::from_secs(1)),
            log: wanted.unwrap_or(Duration::from_secs(30)),
        }
    }
}

/// Three counters that many threads add to.
#[derive(Debug, Default)]
pub(super) struct Counters {
    files: AtomicU64,
    bytes: AtomicU64,
    items: AtomicU64,
}

impl Counters {
    pub fn add(&self, amount: Amount) {
        self.files.fetch_add(amount.files, Relaxed);
        self.bytes.fetch_add(amount.bytes, Relaxed);
        self.items.fetch_add(amount.items, Relaxed);
    }

    pub fn get(&self) -> Amount {
        Amount {
            files: self.files.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            items: self.items.load(Relaxed),
        }
    }

    pub fn reset(&self) {
        self.files.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
        self.items.store(0, Relaxed);
    }
}
