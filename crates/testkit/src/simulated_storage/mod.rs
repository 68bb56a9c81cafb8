//! A storage that misbehaves as storages do, driven by one seed.
//!
//! One [`SimulatedStorage`] holds the true files; each process of a test has a [`SimulatedClient`] of its own, with a
//! clock that may be wrong. What happens to a call is drawn from the seed, the client's name, the operation, the folder,
//! and how often this client has made such a call. Other clients, paths (whose names are random, since they are hashes of
//! what was encrypted) and the scheduling of threads do not change it: the same calls meet the same faults.
//!
//! The seed does not reach the engine's own chance (nonces, and with them the names of files, and the order in which a
//! set of names is walked). A replay meets the same faults at the same calls; which of several equal files such a call is
//! about may differ.

mod choice;
mod client;
mod faults;
mod listing;
mod skewed_clock;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use strongroom_storage::MemoryStorage;

use crate::Asked;
use crate::engine::FakeClock;
use listing::History;

pub use client::SimulatedClient;
pub use faults::{Faults, PER};
pub use skewed_clock::SkewedClock;

/// Lets others act between two calls of a client.
#[async_trait]
pub trait Interleave: Send + Sync {
    /// A call was carried out, or failed, and its answer is on the way. `slept` is the time that the client slept
    /// meanwhile, hours if any; the clock shows it already.
    async fn answered(&self, client: &str, asked: &Asked, slept: Duration);
}

/// A call as it was made and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// Who called.
    pub client: String,
    /// What, and what happened to it: `write index: torn after 12 bytes`. Without the random part of a name.
    pub call: String,
}

/// Files that several clients share. Clones are the same storage.
#[derive(Clone)]
pub struct SimulatedStorage {
    shared: Arc<Shared>,
}

struct Shared {
    seed: u64,
    truth: MemoryStorage,
    clock: Arc<FakeClock>,
    interleave: Option<Arc<dyn Interleave>>,
    history: Mutex<History>,
    trace: Mutex<Vec<Traced>>,
}

/// Time that a call takes.
const CALL: Duration = Duration::from_millis(20);

impl SimulatedStorage {
    /// A storage of these files, which calls past the clients reach as they are.
    pub fn new(truth: MemoryStorage, clock: Arc<FakeClock>, seed: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                seed,
                truth,
                clock,
                interleave: None,
                history: Mutex::default(),
                trace: Mutex::default(),
            }),
        }
    }

    /// The same where others act between two calls. Before the first client is made.
    #[must_use]
    pub fn interleaved(self, by: Arc<dyn Interleave>) -> Self {
        let mut shared = Arc::try_unwrap(self.shared).unwrap_or_else(|_| panic!("it has clients"));
        shared.interleave = Some(by);
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A process that uses the storage. Its name is a part of what chooses its faults, so each process has its own.
    pub fn client(&self, name: &str, faults: &Faults) -> SimulatedClient {
        SimulatedClient::new(Arc::clone(&self.shared), name, faults)
    }

    /// The files as they really are.
    pub fn truth(&self) -> &MemoryStorage {
        &self.shared.truth
    }

    /// The time that clocks should show.
    pub fn clock(&self) -> &Arc<FakeClock> {
        &self.shared.clock
    }

    /// All calls since the last look.
    pub fn take_trace(&self) -> Vec<Traced> {
        std::mem::take(&mut *self.shared.trace.lock().unwrap())
    }
}
