//! Real servers, started for one test on a free port of the loopback interface and ended with it.

mod our_rest;
mod process;
mod rclone_rest;

pub use our_rest::OurRest;
pub use process::ServerProcess;
pub use rclone_rest::RcloneRest;
