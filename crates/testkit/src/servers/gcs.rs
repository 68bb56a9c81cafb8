//! An emulator of Google Cloud Storage.

use std::path::Path;
use std::process::Command;

use super::ServerProcess;
use super::installed::installed;

/// `gcp-storage-emulator` in memory, with `ifGenerationMatch=0` added (`gcs.py`), which it leaves out. It asks nobody to sign in, knows no
/// pages of listings, and says little about errors: what it does not show is asked of a scripted server.
#[derive(Debug)]
pub struct Gcs {
    process: ServerProcess,
    host: String,
}

impl Gcs {
    /// Starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With TLS, under the certificate and key in these files.
    pub fn start_with_tls(certificate: &Path, key: &Path) -> Self {
        Self::start_with(&[certificate, key])
    }

    fn start_with(arguments: &[&Path]) -> Self {
        let mut command = Command::new(installed("python/bin/python"));
        command.args(["-c", include_str!("gcs.py")]).args(arguments);
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let host = line.strip_prefix("listening on ")?;
            Some(host.trim().to_owned())
        });
        Self { process, host }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The options that reach it at a host, which may be that of a proxy in front of it.
    pub fn options_at(host: &str) -> Vec<String> {
        vec![
            format!("gcs.endpoint=http://{host}"),
            "gcs.anonymous=true".to_owned(),
            "gcs.project=tests".to_owned(),
        ]
    }

    /// The options that reach it.
    pub fn options(&self) -> Vec<String> {
        Self::options_at(&self.host)
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}
