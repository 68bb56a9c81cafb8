//! Mutation testing with one build: all changes are compiled into a copy of the workspace, and an environment variable chooses one.
//!
//! `prepare` makes the copy, leaves out what does not compile, and runs every test once to learn which changes it reaches. `run` tries
//! each change with the tests that reach it, the likeliest and quickest first, until one fails. What it finds goes to a file that a
//! later run continues.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints"
)]

pub mod changes;
pub mod chosen;
pub mod compile;
pub mod copy;
pub mod outcomes;
pub mod places;
pub mod process;
pub mod reach;
pub mod rewrite;
pub mod suite;
pub mod summary;
pub mod trial;
pub mod work;
