//! Backups: what is read, what is stored, and how much work that is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changing;
mod upload;
mod work;
