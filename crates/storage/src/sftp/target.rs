//! From an address and what the person has set to a server, and to what is needed to sign in there.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SftpLocation;
use super::known_hosts::KnownHosts;
use super::options::{Agent, SftpOptions};
use super::patterns::matches_any;
use super::ssh_config::{self, Asked, Files, HostConfig, NotUnderstood};
use super::tokens::Tokens;
use crate::ErrorKind;
use crate::failure::Failure;

/// No configuration and no list of host keys is longer; a path to something huge is a mistake.
const TEXT_BYTES_MAX: u64 = 16 << 20;

const OF_THE_SYSTEM: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// A server, and what is known of it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// The name that stands in lists of host keys.
    pub(super) key_name: String,
    pub(super) known_hosts: KnownHosts,
    /// Where a new host key would be put.
    pub(super) known_hosts_file: Option<PathBuf>,
    pub(super) key_files: Vec<KeyFile>,
    pub(super) identities_only: bool,
    pub(super) agent: Option<PathBuf>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keep_alive: Duration,
    pub(super) keep_alive_count: usize,
}

/// A private key that may be there.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    /// Somebody named it, so that it is worth a word if it cannot be used.
    pub(super) is_named: bool,
}

impl Target {
    /// Reads the files that the person keeps for SSH. Blocks.
    pub(super) fn find(location: &SftpLocation, options: &SftpOptions) -> Result<Self, Failure> {
        let surroundings = &options.surroundings;
        let config = host_config(location, options)?;
        let home = surroundings.home();
        let local_user = surroundings.user();
        let user = location.user().or(config.user.as_deref()).or(local_user);
        let user = user.ok_or_else(|| {
            let message =
                "nobody says who signs in; put it into the address: sftp://user@host/path";
            Failure::new(ErrorKind::Unauthenticated, message)
        })?;
        let alias = location.host();
        let tokens = |host| Tokens {
            home,
            host,
            user,
            local_user,
        };
        let host = config.host_name.as_deref().unwrap_or(alias);
        let host = replaced(tokens(alias).replaced(host), "HostName")?;
        let tokens = tokens(&host);
        let key_name = config.host_key_alias.as_deref().unwrap_or(&host).to_owned();
        let port = location.port().or(config.port).unwrap_or(22);

        let user_files = match (&options.known_hosts, &config.known_hosts_files) {
            (Some(file), _) => vec![file.clone()],
            (None, Some(files)) if files.iter().any(|file| file == "none") => Vec::new(),
            (None, Some(files)) => files
                .iter()
                .map(|file| replaced(tokens.file(file), "UserKnownHostsFile"))
                .collect::<Result<_, _>>()?,
            (None, None) => ["known_hosts", "known_hosts2"]
                .iter()
                .filter_map(|name| Some(home?.join(".ssh").join(name)))
                .collect(),
        };
        let system_files = match options.known_hosts {
            Some(_) => Vec::new(),
            None => OF_THE_SYSTEM.iter().map(PathBuf::from).collect(),
        };
        let mut known_hosts = KnownHosts::default();
        for file in user_files.iter().chain(&system_files) {
            if let Some(text) = text_of(file)? {
                known_hosts.add(file, &text, &key_name, port);
            }
        }
        Ok(Self {
            key_files: key_files(options, &config, &tokens)?,
            agent: agent(options, &config, &tokens)?,
            identities_only: config.identities_only.unwrap_or(false),
            connect_timeout: config.connect_timeout,
            keep_alive: options
                .keep_alive
                .or(config.alive_interval)
                .filter(|interval| !interval.is_zero())
                .unwrap_or(Duration::from_secs(30)),
            keep_alive_count: config.alive_count.unwrap_or(3).max(1),
            user: user.to_owned(),
            known_hosts_file: user_files.into_iter().next(),
            host,
            port,
            key_name,
            known_hosts,
        })
    }
}

fn host_config(location: &SftpLocation, options: &SftpOptions) -> Result<HostConfig, Failure> {
    let Some(file) = &options.config else {
        return Ok(HostConfig::default());
    };
    let Some(text) = text_of(file)? else {
        return Ok(HostConfig::default());
    };
    let surroundings = &options.surroundings;
    let asked = Asked {
        host: location.host(),
        user: location.user().or(surroundings.user()),
    };
    let files = OnDisk {
        home: surroundings.home(),
    };
    ssh_config::read(file, &text, asked, &files).map_err(not_understood)
}

fn not_understood(what: NotUnderstood) -> Failure {
    let NotUnderstood {
        file,
        line,
        keyword,
    } = what;
    Failure::new(
        ErrorKind::Unsupported,
        format!(
            "`{keyword}` in {}, line {line}, is not understood here and applies to this host; let OpenSSH connect \
             (-o sftp.command=\"ssh -oBatchMode=yes HOST -s sftp\"), or leave the file out (-o sftp.config=none)",
            file.display()
        ),
    )
}

fn replaced<T>(value: Option<T>, keyword: &str) -> Result<T, Failure> {
    value.ok_or_else(|| {
        Failure::new(
            ErrorKind::Unsupported,
            format!(
                "the configuration of SSH has a `%` in {keyword} that is not understood here; \
                 let OpenSSH connect (-o sftp.command=\"ssh -oBatchMode=yes HOST -s sftp\")"
            ),
        )
    })
}

fn key_files(
    options: &SftpOptions,
    config: &HostConfig,
    tokens: &Tokens<'_>,
) -> Result<Vec<KeyFile>, Failure> {
    let named = |path| KeyFile {
        path,
        is_named: true,
    };
    if let Some(path) = &options.key_file {
        return Ok(vec![named(path.clone())]);
    }
    if options.password.is_some() && config.identity_files.is_empty() {
        return Ok(Vec::new());
    }
    if !config.identity_files.is_empty() {
        let files = config.identity_files.iter().filter(|file| *file != "none");
        return files
            .map(|file| replaced(tokens.file(file), "IdentityFile").map(named))
            .collect();
    }
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"];
    let in_home = usual.iter().filter_map(|name| {
        let path = tokens.home?.join(".ssh").join(name);
        let is_named = false;
        Some(KeyFile { path, is_named })
    });
    Ok(in_home.collect())
}

fn agent(
    options: &SftpOptions,
    config: &HostConfig,
    tokens: &Tokens<'_>,
) -> Result<Option<PathBuf>, Failure> {
    let of_surroundings = || options.surroundings.variable(&["SSH_AUTH_SOCK"]);
    match (&options.agent, config.identity_agent.as_deref()) {
        (Agent::None, _) | (Agent::Usual, Some("none")) => Ok(None),
        (Agent::Socket(socket), _) => Ok(Some(socket.clone())),
        (Agent::Usual, None | Some("SSH_AUTH_SOCK")) => Ok(of_surroundings().map(PathBuf::from)),
        (Agent::Usual, Some(variable)) if variable.starts_with('$') => {
            let name = variable.trim_start_matches('$');
            let name = name.trim_start_matches('{').trim_end_matches('}');
            let socket = options.surroundings.variable(&[name]);
            Ok(socket.map(PathBuf::from))
        }
        (Agent::Usual, Some(file)) => replaced(tokens.file(file), "IdentityAgent").map(Some),
    }
}

/// The text of a file, `None` where there is none.
pub(super) fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    };
    let mut bytes = Vec::new();
    file.take(TEXT_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("read {}: {error}", path.display());
    Failure::new(ErrorKind::Unauthenticated, message)
}

/// Included files: relative ones lie in `~/.ssh`, and the last part of a name may have `*` and `?`.
struct OnDisk<'a> {
    home: Option<&'a Path>,
}

impl Files for OnDisk<'_> {
    fn included(&self, pattern: &str) -> Vec<(PathBuf, String)> {
        let path = match (pattern.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            (None, Some(home)) => home.join(".ssh").join(pattern),
            (_, None) => PathBuf::from(pattern),
        };
        let mut paths = vec![path.clone()];
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name())
            && let Some(name) = name.to_str().filter(|name| name.contains(['*', '?']))
        {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let matching = names.filter(|found| matches_any([name], found));
            paths = matching.map(|name| folder.join(name)).collect();
            paths.sort();
        }
        // One that is not there, or cannot be read, includes nothing, as in OpenSSH.
        let texts = paths.into_iter().filter_map(|path| {
            let text = text_of(&path).ok()??;
            Some((path, text))
        });
        texts.collect()
    }
}
