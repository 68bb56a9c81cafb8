//! A server of SFTP that is not OpenSSH's, and takes passwords.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;
use super::sshd::make_key;

/// `rclone serve sftp` on a folder of its own, for the user `ada` with a password. It knows few extensions, and a rename
/// there does what it likes.
#[derive(Debug)]
pub struct RcloneSftp {
    process: ServerProcess,
    host: String,
    folder: TempDir,
}

impl RcloneSftp {
    /// Who signs in.
    pub const USER: &str = "ada";

    /// Starts it.
    pub fn start(password: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rclone-sftp-")
            .tempdir()
            .expect("a temporary directory");
        let served = folder.path().join("served");
        fs::create_dir(&served).expect("a folder to serve");
        let key = folder.path().join("host-key");
        make_key(&key, "ed25519", "");
        let mut command = Command::new("rclone");
        command
            .args([
                "serve",
                "sftp",
                "--addr",
                "127.0.0.1:0",
                "--vfs-cache-mode",
                "writes",
            ])
            .args(["--user", Self::USER, "--pass", password, "--key"])
            .arg(&key)
            .arg(&served)
            .env("RCLONE_CONFIG", folder.path().join("no-configuration"))
            .env("RCLONE_CACHE_DIR", folder.path().join("cache"));
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let (_, address) = line.split_once("SFTP server listening on ")?;
            Some(address.trim().to_owned())
        });
        let (_, port) = host.rsplit_once(':').expect("a port");
        let public = fs::read_to_string(key.with_extension("pub")).expect("the host key");
        let line = format!("[127.0.0.1]:{port} {public}");
        fs::write(folder.path().join("known-hosts"), line).expect("known hosts");
        Self {
            process,
            host,
            folder,
        }
    }

    /// The address of a repository on it.
    pub fn url(&self, repository: &str) -> String {
        format!("sftp://{}@{}//{repository}", Self::USER, self.host)
    }

    /// A folder in which a test keeps what it likes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What has to be set to reach it, but for the password.
    pub fn options(&self) -> Vec<String> {
        let known_hosts = self.folder.path().join("known-hosts");
        vec![
            format!("sftp.known-hosts={}", known_hosts.display()),
            "sftp.config=none".to_owned(),
            "sftp.agent=none".to_owned(),
        ]
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}
