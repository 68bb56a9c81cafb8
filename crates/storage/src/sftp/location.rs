//! A folder on a server that is reached over SSH, as an address.

use std::fmt;

use super::place::Place;
use crate::LocationError;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "sftp://user@host:22/path, where /path begins in the home folder and //path at the root, or sftp:user@host:/path";

/// A server, who signs in there, and a folder on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpLocation {
    user: Option<String>,
    /// As written: perhaps an alias of `~/.ssh/config`.
    host: String,
    port: Option<u16>,
    place: Place,
}

impl SftpLocation {
    /// Reads what stands behind `sftp:`. With `//` it is a URL, in which a path is relative to the folder that a session
    /// begins in unless it has two slashes; without, it is what `scp` takes. Both are restic's, too.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let malformed = |what: &str| Err(LocationError::malformed(what, EXAMPLE));
        if text.contains(['\0', '\n', '\r']) {
            return malformed("an address cannot hold a zero byte or the end of a line");
        }
        let (authority, path, port_allowed) = match text.strip_prefix("//") {
            Some(url) => {
                let Some((authority, path)) = url.split_once('/') else {
                    return malformed("no folder on the server is named");
                };
                (authority, percent_decoded(path), true)
            }
            None => {
                let Some((authority, path)) = split_scp(text) else {
                    return malformed("between the host and the folder on it stands a colon");
                };
                (authority, Some(path.to_owned()), false)
            }
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let user = match user {
            Some(user) if user.contains(':') => {
                return malformed(
                    "a password does not belong in an address, which others can see; sftp.password-file, \
                     sftp.password-command and STRONGROOM_SFTP_PASSWORD take it",
                );
            }
            Some(user) if port_allowed => percent_decoded(user),
            user => user.map(str::to_owned),
        };
        if user.as_deref() == Some("") {
            return malformed("no user stands before the @");
        }
        let Some((host, port)) = split_port(host, port_allowed) else {
            return malformed("the port is no number between 1 and 65535");
        };
        if host.is_empty() || host.starts_with('-') || host.contains(char::is_whitespace) {
            return malformed("no host is named");
        }
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return malformed("no folder on the server is named");
        };
        if path == "~" || path.starts_with("~/") {
            return malformed(
                "`~` is not replaced on the server; a path without a slash before it begins in the home folder",
            );
        }
        Ok(Self {
            user,
            host,
            port,
            place: Place::new(&path),
        })
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Display for SftpLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sftp://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.place.root())
    }
}

/// At the first colon that is not inside brackets.
fn split_scp(text: &str) -> Option<(&str, &str)> {
    let after_brackets = text.find(']').map_or(0, |at| at + 1);
    let colon = text.get(after_brackets..)?.find(':')?;
    let (authority, path) = text.split_at_checked(after_brackets + colon)?;
    let path = path.get(1..)?;
    // `user:password@host:path`: what follows the first colon is no path, and must not be shown as one.
    let first = path.split('/').next().unwrap_or_default();
    let is_password = !authority.contains('@') && first.contains('@');
    (!is_password).then_some((authority, path))
}

/// Host and port; the brackets around an address of IPv6 are taken off. `None` where the port is wrong.
fn split_port(host: &str, port_allowed: bool) -> Option<(String, Option<u16>)> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, "")) => (name, None),
        Some((name, rest)) => (name, Some(rest.strip_prefix(':')?)),
        None => match host.split_once(':') {
            Some((name, port)) if port_allowed => (name, Some(port)),
            _ => (host, None),
        },
    };
    let port = match port {
        None => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
    };
    Some((name.to_owned(), port))
}

/// `%20` and the like; `None` where that is no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()?;
    (!decoded.contains(['\0', '\n'])).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relative path taken for an absolute one is another folder: an empty repository, or a second one.
    #[test]
    fn addresses_mean_what_they_mean_to_restic() {
        for (text, user, host, port, root) in [
            ("//ada@host:2222/r", Some("ada"), "host", Some(2222), "r"),
            ("//host//srv/r/", None, "host", None, "/srv/r"),
            ("//host/a%20b", None, "host", None, "a b"),
            ("//a%40b@host/r", Some("a@b"), "host", None, "r"),
            ("//[::1]:22//r", None, "::1", Some(22), "/r"),
            ("ada@host:/srv/r", Some("ada"), "host", None, "/srv/r"),
            ("host:r/s", None, "host", None, "r/s"),
            ("ada@[fe80::1]:/r", Some("ada"), "fe80::1", None, "/r"),
            ("host:22:/r", None, "host", None, "22:/r"),
            (
                "ada@example.org@host:r",
                Some("ada@example.org"),
                "host",
                None,
                "r",
            ),
            ("host:a%20b", None, "host", None, "a%20b"),
        ] {
            let location = SftpLocation::parse(text).unwrap();
            assert_eq!(location.user(), user, "{text}");
            assert_eq!((location.host(), location.port()), (host, port), "{text}");
            assert_eq!(location.place().root(), root, "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_can_be_written() {
        for (text, shown) in [
            ("//ada@host:2222/r", "sftp://ada@host:2222/r"),
            ("ada@host:/srv/r", "sftp://ada@host//srv/r"),
            ("//[::1]//r", "sftp://[::1]//r"),
        ] {
            let location = SftpLocation::parse(text).unwrap();
            assert_eq!(location.to_string(), shown);
            let again = shown.strip_prefix("sftp:").unwrap();
            assert_eq!(SftpLocation::parse(again).unwrap(), location);
        }
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right_and_never_repeated() {
        for text in [
            "",
            "host",
            "//host",
            "//host/",
            "//ada:hunter2@host/r",
            "ada:hunter2@host:r",
            "//@host/r",
            "//host:0/r",
            "//host:hunter2/r",
            "//host:99999/r",
            "///r",
            "-oProxyCommand=hunter2:r",
            "host:~/r",
            "//host/~",
            "//host/a%ff",
            "//host/%00",
            "a\0b:r",
        ] {
            let error = SftpLocation::parse(text).unwrap_err().to_string();
            assert!(error.contains("sftp://user@host"), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
