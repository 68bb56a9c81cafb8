//! A clock that is wrong.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use strongroom_repository::clock::Clock;

use crate::engine::FakeClock;

/// The clock of one machine: the true time and how far it is off.
#[derive(Debug)]
pub struct SkewedClock {
    truth: Arc<FakeClock>,
    skew: Mutex<SignedDuration>,
}

impl SkewedClock {
    /// A clock that is off by so much.
    pub fn new(truth: &Arc<FakeClock>, skew: SignedDuration) -> Arc<Self> {
        Arc::new(Self {
            truth: Arc::clone(truth),
            skew: Mutex::new(skew),
        })
    }

    /// Somebody sets the clock.
    pub fn jump(&self, skew: SignedDuration) {
        *self.skew.lock().unwrap() = skew;
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.truth.now() + *self.skew.lock().unwrap()
    }
}
