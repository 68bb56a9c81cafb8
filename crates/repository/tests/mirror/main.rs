//! A mirror is a second repository that can take the place of the first one; neither damage nor loss reaches it unasked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod damage;
mod refuses;
mod scene;
mod ways;
