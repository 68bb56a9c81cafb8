//! The storage over SFTP against OpenSSH's server, in itself and with what networks and people do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod config;
mod errors;
mod folders;
mod hosts;
mod opened;
mod probed;
mod sign_in;
mod suites;
mod work;
