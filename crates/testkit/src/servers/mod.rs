//! Real servers, started for one test on a free port of the loopback interface and ended with it.

mod apache_dav;
mod azurite;
mod certificate;
mod connect_proxy;
mod gcs;
mod installed;
mod moto;
mod our_rest;
mod process;
mod rclone_rest;
mod rclone_sftp;
mod rclone_webdav;
mod sshd;
mod wsgidav;

pub use apache_dav::ApacheDav;
pub use azurite::Azurite;
pub use certificate::Certificate;
pub use connect_proxy::ConnectProxy;
pub use gcs::Gcs;
pub use moto::Moto;
pub use our_rest::OurRest;
pub use process::ServerProcess;
pub use rclone_rest::RcloneRest;
pub use rclone_sftp::RcloneSftp;
pub use rclone_webdav::RcloneWebdav;
pub use sshd::{Sshd, make_key, user};
pub use wsgidav::Wsgidav;
