//! The trash: what is forgotten can be brought back, whatever happens in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clocks;
mod crash;
mod other_programs;
mod refuses;
mod scene;
mod ways;
