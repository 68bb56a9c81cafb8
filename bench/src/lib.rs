//! The benchmark: Strongroom and its peers on the same data, in turn, in one run. README.md says how it is used and what it leaves out.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints"
)]

pub mod blocks;
pub mod corpus;
pub mod count;
pub mod forge;
pub mod forged;
pub mod join;
pub mod machine;
pub mod measure;
pub mod micro;
pub mod page;
pub mod phases;
pub mod plot;
pub mod random;
pub mod results;
pub mod rounds;
pub mod session;
pub mod statistics;
pub mod table;
pub mod targets;
pub mod tools;
pub mod verify;
pub mod walk;
pub mod work;
