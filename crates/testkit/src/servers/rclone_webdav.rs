//! WebDAV as rclone speaks it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;
use super::certificate::Certificate;

/// `rclone serve webdav` on a folder of its own, for user `ada` with the password `try-me`.
#[derive(Debug)]
pub struct RcloneWebdav {
    process: ServerProcess,
    host: String,
    folder: TempDir,
    certificate: Option<Certificate>,
}

impl RcloneWebdav {
    /// Who signs in.
    pub const USER: &str = "ada";
    /// What with.
    pub const PASSWORD: &str = "try-me";

    /// Starts it.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts it with a certificate that it has signed itself, as servers on one's own machine have.
    pub fn start_encrypted() -> Self {
        Self::start_with(Some(Certificate::for_localhost()))
    }

    fn start_with(certificate: Option<Certificate>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rclone-webdav-")
            .tempdir()
            .expect("a temporary directory");
        let mut command = Command::new("rclone");
        command
            .args(["serve", "webdav", "--addr", "127.0.0.1:0"])
            .args(["--user", Self::USER, "--pass", Self::PASSWORD])
            // A listing shows at once what has changed in the folder by other ways.
            .args(["--dir-cache-time", "0s"])
            .arg(folder.path())
            .env("RCLONE_CONFIG", folder.path().join("no-configuration"));
        if let Some(certificate) = &certificate {
            command
                .arg("--cert")
                .arg(certificate.file())
                .arg("--key")
                .arg(certificate.key());
        }
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let (_, address) = line.split_once("WebDav Server started on ")?;
            let (_, host) = address.split_once("://")?;
            Some(host.trim_end_matches('/').to_owned())
        });
        Self {
            process,
            host,
            folder,
            certificate,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of a repository on it, signed in.
    pub fn url(&self, repository: &str) -> String {
        let (user, password) = (Self::USER, Self::PASSWORD);
        let scheme = match self.certificate {
            Some(_) => "webdavs",
            None => "webdav",
        };
        format!("{scheme}://{user}:{password}@{}/{repository}/", self.host)
    }

    /// The file with its certificate, where it has one.
    pub fn certificate(&self) -> Option<PathBuf> {
        self.certificate.as_ref().map(Certificate::file)
    }

    /// Everything that it serves.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}
