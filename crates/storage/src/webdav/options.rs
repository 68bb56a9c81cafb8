//! What can be set for a server.

use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::secret::SecretSource;
use crate::{Options, Surroundings};

use super::WebdavLocation;
use super::sign_in::Credentials;

/// Options of `webdav:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "webdav",
    page: "webdav.md",
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
        OptionInfo {
            key: TOKEN_FILE,
            value: "FILE",
            help: "File that holds a token to sign in with, instead of a user and a password",
        },
        OptionInfo {
            key: TOKEN_COMMAND,
            value: "COMMAND",
            help: "Command that prints a token to sign in with; asked again when the server no longer accepts the old one",
        },
    ],
};

const CONNECTIONS: &str = "webdav.connections";
const USER: &str = "webdav.user";
const PASSWORD_FILE: &str = "webdav.password-file";
const PASSWORD_COMMAND: &str = "webdav.password-command";
const TOKEN_FILE: &str = "webdav.token-file";
const TOKEN_COMMAND: &str = "webdav.token-command";

/// What was set, or holds without.
#[derive(Debug, Clone)]
pub(crate) struct WebdavOptions {
    pub(crate) connections: usize,
    pub(crate) credentials: Credentials,
}

impl WebdavOptions {
    /// As for the other kinds over HTTP.
    const CONNECTIONS: usize = 5;

    /// The address before the options, and those before the surroundings.
    pub(crate) fn new(
        location: &WebdavLocation,
        options: &Options,
        surroundings: &Surroundings,
    ) -> Result<Self, OptionError> {
        let (user, password) = location.credentials();
        let user = user
            .or_else(|| options.text(USER))
            .or_else(|| surroundings.variable(&["STRONGROOM_WEBDAV_USERNAME"]));
        let password = match password {
            Some(password) => Some(password.clone()),
            None => SecretSource::find(
                options,
                surroundings,
                (PASSWORD_FILE, PASSWORD_COMMAND),
                &["STRONGROOM_WEBDAV_PASSWORD"],
            )?,
        };
        let token = SecretSource::find(
            options,
            surroundings,
            (TOKEN_FILE, TOKEN_COMMAND),
            &["STRONGROOM_WEBDAV_TOKEN"],
        )?;
        let connections = options.count(CONNECTIONS)?;
        let has_password = user.is_some() || password.is_some();
        let credentials = match token {
            Some(_) if has_password => {
                let expected = "effect only where there is no user and no password";
                return Err(OptionError::malformed(TOKEN_FILE, expected));
            }
            Some(token) => Credentials::Token(token),
            None if has_password => Credentials::Password {
                user: user.unwrap_or_default().to_owned(),
                password,
            },
            None => Credentials::None,
        };
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, std::num::NonZeroUsize::get),
            credentials,
        })
    }

    /// What the person should know before the password goes out.
    pub(crate) fn warnings(&self, location: &WebdavLocation) -> Vec<String> {
        let warning = format!(
            "{location}: the sign-in goes over the network unencrypted; whoever reads it there can remove what is stored. \
             Give the server a certificate and use webdavs://"
        );
        let warns = !location.is_private() && self.credentials.are_given();
        warns.then_some(warning).into_iter().collect()
    }
}
