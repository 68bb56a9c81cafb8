//! Check, prune and copy, beside the real restic and under damage, crashes and company.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check_beside;
mod check_damage;
mod check_restic;
mod copy;
mod decode;
mod fixture;
mod prune_random;
mod prune_refuses;
mod prune_restic;
mod prune_rewrites;
mod tree_reads;
