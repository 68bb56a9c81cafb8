//! A certificate for a server of a test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes one for a host, and its private key, in files of this folder.
pub fn make_certificate(folder: &Path, host: &str) -> (PathBuf, PathBuf) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", &format!("subjectAltName=DNS:{host}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output();
    assert!(made.unwrap().status.success());
    (folder.join("cert.pem"), folder.join("key.pem"))
}
