//! How a server is to serve.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Certificate and private key, both in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, with those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The folder below which repositories lie.
    pub root: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File with users and their passwords (`htpasswd`); without one everybody may do everything.
    pub accounts: Option<PathBuf>,
    /// Encrypted, or not.
    pub tls: Option<TlsFiles>,
    /// Clients may add and read, and remove nothing but locks.
    pub append_only: bool,
    /// A user reaches repositories below the folder of their own name alone.
    pub private_repositories: bool,
    /// All repositories together hold at most so many bytes.
    pub max_size_bytes: Option<u64>,
    /// `/metrics` tells figures in Prometheus' form.
    pub metrics: bool,
}
