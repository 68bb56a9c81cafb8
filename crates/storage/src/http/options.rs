//! Options that every kind over HTTP takes.

use std::path::PathBuf;
use std::time::Duration;

use super::proxies::Proxies;
use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::{Options, Surroundings};

/// Options of every kind over HTTP.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "http",
    page: "http.md",
    options: &[
        OptionInfo {
            key: CA_FILE,
            value: "FILE",
            help: "Trust the certificate authorities in this file (PEM) and no others; otherwise those of the system",
        },
        OptionInfo {
            key: CLIENT_CERTIFICATE,
            value: "FILE",
            help: "Show this certificate to the server; the file (PEM) holds its private key as well",
        },
        OptionInfo {
            key: INSECURE,
            value: "BOOLEAN",
            help: "Accept any certificate, also that of an attacker; only for a self-signed server on a network you trust",
        },
        OptionInfo {
            key: USER_AGENT,
            value: "TEXT",
            help: "What to call ourselves; otherwise strongroom with its version",
        },
        OptionInfo {
            key: VERSION,
            value: "1.1",
            help: "Speak HTTP/1.1 alone; otherwise HTTP/2 where an encrypted server offers it",
        },
    ],
};

const CA_FILE: &str = "http.ca-file";
const CLIENT_CERTIFICATE: &str = "http.client-certificate";
const INSECURE: &str = "http.insecure-tls";
const USER_AGENT: &str = "http.user-agent";
const VERSION: &str = "http.version";

/// How to speak HTTP.
#[derive(Debug, Clone)]
pub(crate) struct HttpOptions {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) insecure: bool,
    pub(super) user_agent: String,
    pub(super) only_http1: bool,
    pub(super) proxies: Proxies,
    /// Longest time to reach the server in.
    pub(super) connect: Duration,
    /// Longest time in which nothing moves.
    pub(super) no_progress: Duration,
}

impl HttpOptions {
    /// From the options, and for what was not given from the surroundings.
    pub(crate) fn new(
        options: &Options,
        surroundings: &Surroundings,
        (connect, no_progress): (Duration, Duration),
    ) -> Result<Self, OptionError> {
        let file = |key, variables: &[&str]| {
            let variable = || surroundings.variable(variables).map(PathBuf::from);
            options.path(key).or_else(variable)
        };
        let only_http1 = match options.text(VERSION) {
            None => false,
            Some("1.1") => true,
            Some(_) => return Err(OptionError::malformed(VERSION, "1.1 or nothing")),
        };
        Ok(Self {
            ca_file: file(CA_FILE, &["STRONGROOM_CACERT", "RESTIC_CACERT"]),
            client_certificate: file(
                CLIENT_CERTIFICATE,
                &["STRONGROOM_TLS_CLIENT_CERT", "RESTIC_TLS_CLIENT_CERT"],
            ),
            insecure: options.flag(INSECURE)?,
            user_agent: options
                .text(USER_AGENT)
                .unwrap_or(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
                .to_owned(),
            only_http1,
            proxies: Proxies::new(surroundings),
            connect,
            no_progress,
        })
    }

    /// For what is near: without proxies, and found to be missing in `connect`.
    pub(crate) fn nearby(&self, connect: Duration) -> Self {
        Self {
            proxies: Proxies::default(),
            connect: connect.min(self.connect),
            ..self.clone()
        }
    }

    /// What the person should know before anything is sent.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let insecure = "the server's certificate is not checked (http.insecure-tls): whoever is on the way to it can read \
            the password of the storage, and read, change and remove what is stored";
        self.insecure
            .then(|| insecure.to_owned())
            .into_iter()
            .collect()
    }
}
