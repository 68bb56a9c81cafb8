//! For tests alone: the real restic, the built executable, trees with everything a file system holds, a
//! comparison that sees every difference between two trees, storages that record or damage, and the suite of
//! promises that every kind of storage keeps.
//!
//! What fails here fails a test, so these helpers panic with everything that a reader of the test's output needs.
//!
//! Invariant: no crate has an edge to this one outside `[dev-dependencies]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
pub mod crash_points;
pub mod engine;
pub mod engine_backup;
pub mod fault_proxy;
mod faulty_storage;
mod flat_names;
mod fuzz_targets;
mod nobody;
mod on_disk;
mod ran;
mod random;
mod recording_storage;
mod restic;
mod restic_layout_storage;
mod scripted_http;
pub mod servers;
pub mod simulated_storage;
mod small_disk;
pub mod source_suite;
pub mod storage_suite;
mod strongroom;
mod tcp_proxy;
mod terminal;
mod tree_diff;
mod tree_entry;

pub use corpus::{Corpus, Grown, Part};
pub use fault_proxy::{FaultProxy, HttpAsked, HttpFault};
pub use faulty_storage::{Asked, Fault, FaultyStorage};
pub use flat_names::FlatNames;
pub use fuzz_targets::{FUZZ_TARGETS, FuzzTarget};
pub use nobody::as_nobody;
pub use on_disk::{copy_files, on_disk};
pub use ran::Ran;
pub use random::Random;
pub use recording_storage::{Call, RecordingStorage};
pub use restic::Restic;
pub use restic_layout_storage::ResticLayoutStorage;
pub use scripted_http::{HttpAnswer, HttpRequest, ScriptedHttp};
pub use simulated_storage::{Faults, SimulatedClient, SimulatedStorage, SkewedClock};
pub use small_disk::SmallDisk;
pub use strongroom::Strongroom;
pub use tcp_proxy::{TcpFault, TcpProxy, TcpWay};
pub use terminal::Terminal;
pub use tree_diff::{CompareOptions, Difference, TreeDiff, assert_same_trees, compare_trees};
