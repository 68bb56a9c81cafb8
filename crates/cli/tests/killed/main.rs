//! The process is killed, as by a power cut or an impatient administrator, at moments that a seed chooses: nothing that
//! was stored is lost, nothing half-made shows, and nothing stands in the way of the next run.
//!
//! A moment is what the process has done by then (so many files of a kind have appeared or gone), never a time.

#![allow(clippy::unwrap_used)]

#[path = "../vault/mod.rs"]
mod vault;

mod backup;
mod moment;
mod prune;
mod restore;
