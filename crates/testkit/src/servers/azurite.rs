//! Microsoft's own emulator of Azure Blob Storage.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;
use super::installed::installed;

/// `azurite-blob` with its well-known account, in memory. It checks signatures, checksums and conditions; it does not show
/// what the real service does with folders, redundancy, policies or load.
#[derive(Debug)]
pub struct Azurite {
    process: ServerProcess,
    host: String,
    folder: TempDir,
}

impl Azurite {
    /// The account, which has this name everywhere.
    pub const ACCOUNT: &str = "devstoreaccount1";
    /// Its key, which is the same everywhere and written in its documentation.
    pub const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// Starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With TLS, under the certificate and key in these files.
    pub fn start_with_tls(certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display(), key.display());
        Self::start_with(&[
            "--cert".to_owned(),
            certificate.to_string(),
            "--key".to_owned(),
            key.to_string(),
        ])
    }

    fn start_with(arguments: &[String]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("azurite-")
            .tempdir()
            .expect("a temporary directory");
        let program: PathBuf = installed("node/node_modules/.bin/azurite-blob");
        // It says where it listens on standard output.
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$@\" >&2", "sh"])
            .arg(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--skipApiVersionCheck"])
            .args(["--disableTelemetry", "--silent"])
            .args(arguments)
            .current_dir(folder.path());
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let (_, address) = line.split_once("successfully listen")?;
            let (_, host) = address.split_once("://")?;
            Some(host.trim().trim_end_matches('/').to_owned())
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

    /// The options that reach it at a host, which may be that of a proxy in front of it, but for the key.
    pub fn options_at(host: &str) -> Vec<String> {
        let account = Self::ACCOUNT;
        vec![
            format!("azure.account={account}"),
            format!("azure.endpoint=http://{host}/{account}"),
        ]
    }

    /// Puts the account's key into a file, and the option that names it.
    pub fn key_option(&self) -> String {
        let file = self.folder.path().join("key");
        std::fs::write(&file, Self::KEY).expect("a file");
        format!("azure.key-file={}", file.display())
    }

    /// The options that reach it, signed in.
    pub fn options(&self) -> Vec<String> {
        let mut options = Self::options_at(&self.host);
        options.push(self.key_option());
        options
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}
