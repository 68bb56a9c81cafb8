//! The time of day, as a value that tests can set.

use std::fmt;

use jiff::Timestamp;

/// Tells the time of day.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now. May jump in either direction; callers must survive that.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
