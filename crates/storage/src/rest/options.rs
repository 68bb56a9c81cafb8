//! What can be set for a server.

use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::secret::SecretSource;
use crate::{Options, Surroundings};

use super::{Credentials, RestLocation};

/// Options of `rest:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "rest",
    page: "rest.md",
    options: &[
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Requests at the same time; otherwise 5",
        },
        OptionInfo {
            key: USER,
            value: "NAME",
            help: "Who signs in, where the address names nobody",
        },
        OptionInfo {
            key: PASSWORD_FILE,
            value: "FILE",
            help: "File that holds the password for signing in",
        },
        OptionInfo {
            key: PASSWORD_COMMAND,
            value: "COMMAND",
            help: "Command that prints the password for signing in; asked again when the server no longer accepts the old one",
        },
    ],
};

const CONNECTIONS: &str = "rest.connections";
const USER: &str = "rest.user";
const PASSWORD_FILE: &str = "rest.password-file";
const PASSWORD_COMMAND: &str = "rest.password-command";

/// What was set, or holds without.
#[derive(Debug, Clone)]
pub(crate) struct RestOptions {
    pub(crate) connections: usize,
    pub(crate) credentials: Credentials,
}

impl RestOptions {
    /// restic's default.
    const CONNECTIONS: usize = 5;

    /// The address before the options, and those before the surroundings.
    pub(crate) fn new(
        location: &RestLocation,
        options: &Options,
        surroundings: &Surroundings,
    ) -> Result<Self, OptionError> {
        let (user, password) = location.credentials();
        let variables = ["STRONGROOM_REST_USERNAME", "RESTIC_REST_USERNAME"];
        let user = user
            .or_else(|| options.text(USER))
            .or_else(|| surroundings.variable(&variables));
        let password = match password {
            Some(password) => Some(password.clone()),
            None => SecretSource::find(
                options,
                surroundings,
                (PASSWORD_FILE, PASSWORD_COMMAND),
                &["STRONGROOM_REST_PASSWORD", "RESTIC_REST_PASSWORD"],
            )?,
        };
        let connections = options.count(CONNECTIONS)?;
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, std::num::NonZeroUsize::get),
            credentials: Credentials::new(user, password),
        })
    }

    /// What the person should know before the password goes out.
    pub(crate) fn warnings(&self, location: &RestLocation) -> Vec<String> {
        let is_plain = location.url().scheme() == "http";
        let host = location.url().host_str().unwrap_or_default();
        let stays_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        let warning = format!(
            "{location}: the password for signing in goes over the network unencrypted; whoever reads it there can remove \
             what is stored. Give the server a certificate and use https"
        );
        let warns = is_plain && !stays_here && self.credentials.are_given();
        warns.then_some(warning).into_iter().collect()
    }
}
