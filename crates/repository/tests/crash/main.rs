//! Every operation that writes, stopped at each of its changes in every way: see `strongroom_testkit::crash_points`.
//!
//! The names carry the stories. What T-19 (a write is refused), T-20 (a change of a key is cut off) and T-25 (what appears
//! is whole) ask for is judged at every point of every operation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod copy;
mod keys;
mod own;
mod prune;
mod repair;
mod scene;
mod signed;
mod snapshots;
