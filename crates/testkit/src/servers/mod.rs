//! Real servers, started for one test on a free port of the loopback interface and ended with it.

mod moto;
mod our_rest;
mod process;
mod rclone_rest;
mod rclone_sftp;
mod sshd;

pub use moto::Moto;
pub use our_rest::OurRest;
pub use process::ServerProcess;
pub use rclone_rest::RcloneRest;
pub use rclone_sftp::RcloneSftp;
pub use sshd::{Sshd, make_key, user};
