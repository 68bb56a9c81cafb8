//! Looking into snapshots beside the real restic: ls, find, diff and stats say the same of the same repository.
//!
//! Where they differ, a person who looks for a file believes that it is not in any backup.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod diff;
mod find;
mod ls;
mod scene;
mod stats;
