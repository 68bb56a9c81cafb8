//! Certificates.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder, Identity};

use super::HttpOptions;
use crate::ErrorKind;
use crate::failure::Failure;

/// Gives the client its certificates and the library its primitives.
pub(super) fn configure(
    mut builder: ClientBuilder,
    options: &HttpOptions,
) -> Result<ClientBuilder, Failure> {
    // Fails where the process has chosen already, and then that choice is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Some(path) = &options.ca_file {
        let found = Certificate::from_pem_bundle(&read(path)?);
        let certificates = found.map_err(|e| wrong(path, "certificate", &e))?;
        if certificates.is_empty() {
            return Err(wrong(path, "certificate", &"it is empty"));
        }
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(path) = &options.client_certificate {
        let found = Identity::from_pem(&read(path)?);
        let identity = found.map_err(|e| wrong(path, "certificate with its private key", &e))?;
        builder = builder.identity(identity);
    }
    Ok(builder.tls_danger_accept_invalid_certs(options.insecure))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| {
        let message = format!("read {}: {e}", path.display());
        Failure::new(ErrorKind::Unsupported, message)
    })
}

fn wrong(path: &Path, what: &str, why: &dyn std::fmt::Display) -> Failure {
    let message = format!("{} holds no {what} in PEM: {why}", path.display());
    Failure::new(ErrorKind::Unsupported, message)
}
