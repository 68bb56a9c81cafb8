//! restic's REST protocol as rclone speaks it: version 2, without our additions.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;

/// `rclone serve restic` on a folder of its own, for user `ada` with the password `try-me`.
#[derive(Debug)]
pub struct RcloneRest {
    process: ServerProcess,
    host: String,
    folder: TempDir,
}

impl RcloneRest {
    /// Who signs in.
    pub const USER: &str = "ada";
    /// What with.
    pub const PASSWORD: &str = "try-me";

    /// Starts it, with more arguments if need be.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rclone-rest-")
            .tempdir()
            .expect("a temporary directory");
        let mut command = Command::new("rclone");
        command
            .args(["serve", "restic", "--addr", "127.0.0.1:0"])
            .args(["--user", Self::USER, "--pass", Self::PASSWORD])
            .args(arguments)
            .arg(folder.path())
            .env("RCLONE_CONFIG", folder.path().join("no-configuration"));
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let (_, address) = line.split_once("Serving restic REST API on http://")?;
            Some(address.trim_end_matches('/').to_owned())
        });
        Self {
            process,
            host,
            folder,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of a repository on it, signed in.
    pub fn url(&self, repository: &str) -> String {
        let (user, password) = (Self::USER, Self::PASSWORD);
        format!("rest:http://{user}:{password}@{}/{repository}/", self.host)
    }

    /// Where a repository's files lie.
    pub fn folder(&self, repository: &str) -> PathBuf {
        self.folder.path().join(repository)
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
