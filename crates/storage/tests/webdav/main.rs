//! WebDAV with real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod folders;
mod opened;
mod sign_in;
mod suites;
mod temporary;
