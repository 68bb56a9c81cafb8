//! Repairs: what they bring back, what they never lose, and what the real restic says of the result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_sector;
mod crash;
#[path = "../maintenance/fixture.rs"]
#[allow(dead_code, unused_imports)] // a part of it is used here
mod fixture;
mod heal;
mod index;
mod lying;
mod packs;
mod scene;
mod slept;
mod snapshots;
mod told;
mod unreachable;
