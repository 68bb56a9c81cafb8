//! Forgetting and tagging: exactly what was planned is removed, and an interruption leaves nothing missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod forget;
mod names;
mod pins;
mod rewrite;
mod scene;
mod tag;
