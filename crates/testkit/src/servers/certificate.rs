//! Certificates of servers.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A certificate that has signed itself, and its key, each in a file.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// For `localhost` and `127.0.0.1`.
    pub fn for_localhost() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("certificate-")
            .tempdir()
            .expect("a temporary directory");
        let certificate = Self { folder };
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "30", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            // An authority as a server's own certificate is refused by rustls.
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(certificate.key())
            .arg("-out")
            .arg(certificate.file())
            .output()
            .expect("openssl; run scripts/install-test-packages as root");
        assert!(made.status.success(), "{made:?}");
        certificate
    }

    /// The certificate, in PEM.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Its key, in PEM.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}
