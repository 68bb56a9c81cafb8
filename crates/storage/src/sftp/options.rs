//! What can be set for a server that is reached over SSH.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::options::{OptionError, OptionGroup, OptionInfo, words};
use crate::secret::SecretSource;
use crate::{Options, Surroundings};

/// Options of `sftp:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "sftp",
    page: "sftp.md",
    options: &[
        OptionInfo {
            key: AGENT,
            value: "SOCKET",
            help: "Socket of the agent that holds keys, or none; otherwise that of SSH_AUTH_SOCK",
        },
        OptionInfo {
            key: COMMAND,
            value: "COMMAND",
            help: "Run this and speak SFTP over its standard input and output, such as \"ssh -oBatchMode=yes host -s sftp\"; otherwise SSH is spoken here",
        },
        OptionInfo {
            key: CONFIG,
            value: "FILE",
            help: "Read the basics of OpenSSH's configuration from here, or none; otherwise ~/.ssh/config",
        },
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Most connections at the same time, opened as they are needed; otherwise 4",
        },
        OptionInfo {
            key: KEEP_ALIVE,
            value: "DURATION",
            help: "Ask a silent server so often whether it is still there, and give it up after three questions; otherwise 30s",
        },
        OptionInfo {
            key: KEY_FILE,
            value: "FILE",
            help: "Private key to sign in with; otherwise those of the configuration, ~/.ssh/id_ed25519 and ~/.ssh/id_ecdsa",
        },
        OptionInfo {
            key: PASSPHRASE_COMMAND,
            value: "COMMAND",
            help: "Command that prints the passphrase of the private key",
        },
        OptionInfo {
            key: PASSPHRASE_FILE,
            value: "FILE",
            help: "File that holds the passphrase of the private key",
        },
        OptionInfo {
            key: KNOWN_HOSTS,
            value: "FILE",
            help: "File of the host keys that are accepted; otherwise ~/.ssh/known_hosts and that of the system",
        },
        OptionInfo {
            key: PASSWORD_COMMAND,
            value: "COMMAND",
            help: "Command that prints the password for signing in",
        },
        OptionInfo {
            key: PASSWORD_FILE,
            value: "FILE",
            help: "File that holds the password for signing in",
        },
    ],
};

const AGENT: &str = "sftp.agent";
const COMMAND: &str = "sftp.command";
const CONFIG: &str = "sftp.config";
const CONNECTIONS: &str = "sftp.connections";
const KEEP_ALIVE: &str = "sftp.keep-alive";
const KEY_FILE: &str = "sftp.key-file";
const PASSPHRASE_COMMAND: &str = "sftp.key-passphrase-command";
const PASSPHRASE_FILE: &str = "sftp.key-passphrase-file";
const KNOWN_HOSTS: &str = "sftp.known-hosts";
const PASSWORD_COMMAND: &str = "sftp.password-command";
const PASSWORD_FILE: &str = "sftp.password-file";

/// What was set, or holds without.
#[derive(Debug, Clone)]
pub(crate) struct SftpOptions {
    pub(super) connections: usize,
    /// The program and its arguments, where SSH is not spoken here.
    pub(super) command: Option<Vec<String>>,
    pub(super) password: Option<SecretSource>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) passphrase: Option<SecretSource>,
    pub(super) agent: Agent,
    pub(super) known_hosts: Option<PathBuf>,
    /// `None` where no configuration is to be read.
    pub(super) config: Option<PathBuf>,
    pub(super) keep_alive: Option<Duration>,
    pub(super) surroundings: Surroundings,
    /// Longest time to reach the server and sign in, and longest time in which nothing moves.
    pub(super) times: (Duration, Duration),
}

/// Which agent is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agent {
    /// That of the configuration, or of the surroundings.
    Usual,
    Socket(PathBuf),
    None,
}

impl SftpOptions {
    const CONNECTIONS: usize = 4;

    pub(crate) fn new(
        options: &Options,
        surroundings: &Surroundings,
        times: (Duration, Duration),
    ) -> Result<Self, OptionError> {
        let command = options.text(COMMAND);
        let command = command.map(|line| words(COMMAND, line, "a command whose quotes are closed"));
        let find = |keys, variable| SecretSource::find(options, surroundings, keys, &[variable]);
        let connections = options.count(CONNECTIONS)?;
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, NonZeroUsize::get),
            command: command.transpose()?,
            password: find(
                (PASSWORD_FILE, PASSWORD_COMMAND),
                "STRONGROOM_SFTP_PASSWORD",
            )?,
            key_file: options.path(KEY_FILE),
            passphrase: find(
                (PASSPHRASE_FILE, PASSPHRASE_COMMAND),
                "STRONGROOM_SFTP_KEY_PASSPHRASE",
            )?,
            agent: match options.text(AGENT) {
                None => Agent::Usual,
                Some("none") => Agent::None,
                Some(socket) => Agent::Socket(socket.into()),
            },
            known_hosts: options.path(KNOWN_HOSTS),
            config: match options.text(CONFIG) {
                Some("none") => None,
                Some(file) => Some(file.into()),
                None => surroundings.home().map(|home| home.join(".ssh/config")),
            },
            keep_alive: options.duration(KEEP_ALIVE)?,
            surroundings: surroundings.clone(),
            times,
        })
    }

    /// Whether the person said which key to use, or gave a password; then no others are tried.
    pub(super) fn names_credentials(&self) -> bool {
        self.key_file.is_some() || self.password.is_some()
    }
}
