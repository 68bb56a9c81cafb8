//! Real servers, started for one test on a free port of the loopback interface and ended with it.

mod azurite;
mod connect_proxy;
mod gcs;
mod installed;
mod our_rest;
mod process;
mod rclone_rest;
mod rclone_sftp;
mod sshd;

pub use azurite::Azurite;
pub use connect_proxy::ConnectProxy;
pub use gcs::Gcs;
pub use our_rest::OurRest;
pub use process::ServerProcess;
pub use rclone_rest::RcloneRest;
pub use rclone_sftp::RcloneSftp;
pub use sshd::{Sshd, make_key, user};
