//! Several machines use one repository at the same time, crash, sleep and meet a bad storage, in an order that a seed
//! decides; beside them stands a plain map of what must be there. If the two differed, a backup would be lost.
//!
//! CONTRIBUTING.md tells how a failure is seen again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actions;
mod chance;
mod changes;
mod expected;
mod interleavings;
mod machine;
mod mend;
mod pauses;
mod reading;
mod repairs;
mod run;
mod scene;
mod seeded;
mod seeds;
mod signing;
mod stale_state;
mod tree;
mod turns;
mod verify;
