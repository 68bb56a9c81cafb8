//! Repositories over a network, with the executable and real servers: what cannot be restored from there was not backed up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../vault/mod.rs"]
mod vault;

#[path = "../killed/moment.rs"]
mod moment;

mod azure;
mod certificate;
mod faults;
mod gcs;
mod refused;
mod round;
mod s3;
mod served;
mod sftp;
mod webdav;
