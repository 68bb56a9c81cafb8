//! The basics of OpenSSH's client configuration (ssh_config(5)), for one host.
//!
//! What is understood is listed in [`Keyword`]. What is not, and would change where a connection goes or who it is made as,
//! is an error once it applies to the host: a program that passes over a `ProxyJump` connects to another machine than
//! the person means. Everything else (ciphers, forwarding, looks) makes no difference here and is passed over.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::patterns::matches_any;

/// Files that include others, this deep at most, as in OpenSSH.
const DEPTH_MAX: usize = 16;

/// What the configuration says of a host. The first value of each counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostConfig {
    pub(super) host_name: Option<String>,
    pub(super) host_key_alias: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    /// All of them, in their order.
    pub(super) identity_files: Vec<String>,
    pub(super) identities_only: Option<bool>,
    /// A socket, `none`, or `SSH_AUTH_SOCK`.
    pub(super) identity_agent: Option<String>,
    pub(super) known_hosts_files: Option<Vec<String>>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) alive_interval: Option<Duration>,
    pub(super) alive_count: Option<usize>,
}

/// Something that applies to the host and cannot be done here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood {
    /// Where it stands.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// What stands there, without its value.
    pub(super) keyword: String,
}

/// The files, as far as they include each other; reading them is somebody else's business.
pub(super) trait Files {
    /// The texts of the files that an `Include` names.
    fn included(&self, pattern: &str) -> Vec<(PathBuf, String)>;
}

/// What is understood; the rest is passed over, or one of [`MATTERS`].
enum Keyword {
    HostName,
    HostKeyAlias,
    Port,
    User,
    IdentityFile,
    IdentitiesOnly,
    IdentityAgent,
    UserKnownHostsFile,
    ConnectTimeout,
    ServerAliveInterval,
    ServerAliveCountMax,
}

/// Decide where a connection goes, or who it is made as, and are not understood.
const MATTERS: [&str; 9] = [
    "proxyjump",
    "proxycommand",
    "proxyusefdpass",
    "bindaddress",
    "bindinterface",
    "canonicalizehostname",
    "certificatefile",
    "knownhostscommand",
    "pkcs11provider",
];

impl Keyword {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "hostname" => Self::HostName,
            "hostkeyalias" => Self::HostKeyAlias,
            "port" => Self::Port,
            "user" => Self::User,
            "identityfile" => Self::IdentityFile,
            "identitiesonly" => Self::IdentitiesOnly,
            "identityagent" => Self::IdentityAgent,
            "userknownhostsfile" => Self::UserKnownHostsFile,
            "connecttimeout" => Self::ConnectTimeout,
            "serveraliveinterval" => Self::ServerAliveInterval,
            "serveralivecountmax" => Self::ServerAliveCountMax,
            _ => return None,
        })
    }
}

/// Whom the configuration is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The host as the address names it.
    pub(super) host: &'a str,
    /// The user of the address, if it names one.
    pub(super) user: Option<&'a str>,
}

/// Reads a file and those that it includes.
pub(super) fn read(
    file: &Path,
    text: &str,
    asked: Asked<'_>,
    files: &dyn Files,
) -> Result<HostConfig, NotUnderstood> {
    let mut reader = Reader {
        asked,
        files,
        config: HostConfig::default(),
    };
    reader.file(file, text, true, 0)?;
    Ok(reader.config)
}

struct Reader<'a> {
    asked: Asked<'a>,
    files: &'a dyn Files,
    config: HostConfig,
}

impl Reader<'_> {
    /// `applies`: the lines before the first `Host` of an included file apply if the `Include` does.
    fn file(
        &mut self,
        file: &Path,
        text: &str,
        mut applies: bool,
        depth: usize,
    ) -> Result<(), NotUnderstood> {
        for (index, line) in text.lines().enumerate() {
            let not_understood = |keyword: &str| NotUnderstood {
                file: file.to_owned(),
                line: index + 1,
                keyword: keyword.to_owned(),
            };
            let Some((keyword, arguments)) = words(line) else {
                continue;
            };
            let name = keyword.to_ascii_lowercase();
            match name.as_str() {
                "host" => {
                    applies = matches_any(arguments.iter().map(String::as_str), self.asked.host);
                }
                "match" => {
                    applies = self.criteria(&arguments).ok_or_else(|| {
                        not_understood(&format!("{keyword} {}", arguments.join(" ")))
                    })?;
                }
                "include" if applies && depth < DEPTH_MAX => {
                    for pattern in &arguments {
                        for (file, text) in self.files.included(pattern) {
                            self.file(&file, &text, true, depth + 1)?;
                        }
                    }
                }
                _ if !applies => {}
                name if MATTERS.contains(&name) => {
                    let off = ["none", "no"];
                    let value = arguments.first().map(|value| value.to_ascii_lowercase());
                    if !value.is_some_and(|value| off.contains(&value.as_str())) {
                        return Err(not_understood(&keyword));
                    }
                }
                name => {
                    if let Some(keyword_known) = Keyword::of(name) {
                        self.set(keyword_known, &arguments)
                            .ok_or_else(|| not_understood(&keyword))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a `Match` applies; `None` where it asks for something that is not understood.
    fn criteria(&self, arguments: &[String]) -> Option<bool> {
        let mut applies = true;
        let mut rest = arguments.iter();
        while let Some(criterion) = rest.next() {
            let (name, inverted) = match criterion.strip_prefix('!') {
                Some(name) => (name, true),
                None => (criterion.as_str(), false),
            };
            let lower = name.to_ascii_lowercase();
            if lower == "all" {
                continue;
            }
            let patterns = rest.next()?;
            let value = match lower.as_str() {
                "host" => self.config.host_name.as_deref().unwrap_or(self.asked.host),
                "originalhost" => self.asked.host,
                "user" => self.asked.user.or(self.config.user.as_deref())?,
                _ => return None,
            };
            applies &= matches_any(patterns.split(','), value) != inverted;
        }
        Some(applies)
    }

    /// `None` where the value is none that the keyword takes.
    fn set(&mut self, keyword: Keyword, arguments: &[String]) -> Option<()> {
        let first = arguments.first()?;
        let config = &mut self.config;
        match keyword {
            Keyword::HostName => keep_first(&mut config.host_name, first.clone()),
            Keyword::HostKeyAlias => keep_first(&mut config.host_key_alias, first.clone()),
            Keyword::Port => keep_first(&mut config.port, first.parse().ok()?),
            Keyword::User => keep_first(&mut config.user, first.clone()),
            Keyword::IdentityFile => config.identity_files.push(first.clone()),
            Keyword::IdentitiesOnly => keep_first(&mut config.identities_only, yes(first)?),
            Keyword::IdentityAgent => keep_first(&mut config.identity_agent, first.clone()),
            Keyword::UserKnownHostsFile => {
                keep_first(&mut config.known_hosts_files, arguments.to_vec());
            }
            Keyword::ConnectTimeout => keep_first(&mut config.connect_timeout, time(first)?),
            Keyword::ServerAliveInterval => keep_first(&mut config.alive_interval, time(first)?),
            Keyword::ServerAliveCountMax => {
                keep_first(&mut config.alive_count, first.parse().ok()?);
            }
        }
        Some(())
    }
}

fn keep_first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// Seconds, or with a unit as OpenSSH has them (`90`, `1m30s`).
fn time(text: &str) -> Option<Duration> {
    crate::parse_duration(&text.to_ascii_lowercase()).ok()
}

/// The keyword and its arguments, which may be quoted; the first may stand behind a `=`. `None` for a line that says nothing.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=');
    let (keyword, rest) = line.split_at_checked(end.unwrap_or(line.len()))?;
    if keyword.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut arguments = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut is_word = false;
    for c in rest.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                is_word = true;
            }
            '#' if !quoted && !is_word => break,
            c if c.is_whitespace() && !quoted => {
                if std::mem::take(&mut is_word) {
                    arguments.push(std::mem::take(&mut word));
                }
            }
            c => {
                word.push(c);
                is_word = true;
            }
        }
    }
    if is_word {
        arguments.push(word);
    }
    Some((keyword.to_owned(), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Included(&'static str);

    impl Files for Included {
        fn included(&self, pattern: &str) -> Vec<(PathBuf, String)> {
            vec![(PathBuf::from(pattern), self.0.to_owned())]
        }
    }

    fn config(text: &str, host: &str) -> Result<HostConfig, NotUnderstood> {
        let asked = Asked { host, user: None };
        read(Path::new("/c"), text, asked, &Included(""))
    }

    #[test]
    fn the_first_value_counts_and_only_that_of_hosts_that_match() {
        let text = "# me\n\
            Host other\n  User nobody\n\
            Host backup *.org !bad.org\n\
              HostName = 10.0.0.1\n\
              user \"ada b\" # who\n\
              Port 2222\n\
              IdentityFile ~/.ssh/a\n  IdentityFile=~/.ssh/b\n\
              IdentitiesOnly yes\n  ConnectTimeout 1m\n\
            Host *\n  User last\n  Port 22\n  ServerAliveInterval 15\n  UserKnownHostsFile /a /b\n";
        let found = config(text, "backup").unwrap();
        assert_eq!(found.host_name.as_deref(), Some("10.0.0.1"));
        assert_eq!(found.user.as_deref(), Some("ada b"));
        assert_eq!(found.port, Some(2222));
        assert_eq!(found.identity_files, ["~/.ssh/a", "~/.ssh/b"]);
        assert_eq!(found.identities_only, Some(true));
        assert_eq!(found.connect_timeout, Some(Duration::from_secs(60)));
        assert_eq!(found.alive_interval, Some(Duration::from_secs(15)));
        assert_eq!(
            found.known_hosts_files,
            Some(vec!["/a".to_owned(), "/b".to_owned()])
        );
        assert_eq!(
            config(text, "bad.org").unwrap().user.as_deref(),
            Some("last")
        );
        assert_eq!(config(text, "a.org").unwrap().port, Some(2222));
    }

    /// A jump that is passed over connects to whoever has the name on this side.
    #[test]
    fn what_decides_where_a_connection_goes_and_is_not_understood_is_refused() {
        for (text, keyword, line) in [
            ("Host a\nProxyJump gate\n", "ProxyJump", 2),
            ("proxycommand nc %h %p", "proxycommand", 1),
            ("CertificateFile ~/.ssh/c", "CertificateFile", 1),
            ("\nMatch exec \"true\"\nUser x", "Match exec true", 2),
            ("Match user x\nPort 1", "Match user x", 1),
            ("Port many", "Port", 1),
            ("IdentitiesOnly perhaps", "IdentitiesOnly", 1),
        ] {
            let error = config(text, "a").unwrap_err();
            assert_eq!(
                (error.keyword.as_str(), error.line),
                (keyword, line),
                "{text}"
            );
        }
        for fine in [
            "Host b\nProxyJump gate\n",
            "ProxyJump none",
            "CanonicalizeHostname no",
            "Ciphers aes128-ctr\nForwardAgent yes\nNobodyKnows this",
        ] {
            assert_eq!(config(fine, "a"), Ok(HostConfig::default()), "{fine}");
        }
    }

    #[test]
    fn conditions_and_included_files_apply_where_they_should() {
        let of = |text, included| {
            let asked = Asked {
                host: "a",
                user: Some("ada"),
            };
            read(Path::new("/c"), text, asked, &Included(included)).unwrap()
        };
        assert_eq!(of("Match all\nPort 1", "").port, Some(1));
        assert_eq!(
            of("HostName x\nMatch host x user a*\nPort 1", "").port,
            Some(1)
        );
        assert_eq!(
            of("HostName x\nMatch originalhost x\nPort 1", "").port,
            None
        );
        assert_eq!(of("Match !host b\nPort 1", "").port, Some(1));
        assert_eq!(
            of("Include x\nPort 2", "Port 1\nHost b\nUser u").port,
            Some(1)
        );
        assert_eq!(
            of("Include x\nUser v", "Host b\nUser u").user.as_deref(),
            Some("v")
        );
        assert_eq!(of("Host b\nInclude x", "Port 1").port, None);
        // A file that includes itself ends.
        assert_eq!(of("Include x", "Include x").port, None);
    }
}
