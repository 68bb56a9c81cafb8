//! The address of a server.

use std::fmt;

use crate::LocationError;
use crate::http::{BaseUrl, Url};
use crate::secret::SecretSource;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "webdavs://host/path";

/// A folder on a WebDAV server. Shows no user and no password.
#[derive(Clone, PartialEq, Eq)]
pub struct WebdavLocation {
    base: BaseUrl,
}

impl WebdavLocation {
    /// Reads what stands behind `webdav:` or `webdavs:`: an address with its scheme, or one that begins with `//`.
    pub(crate) fn parse(is_secure: bool, text: &str) -> Result<Self, LocationError> {
        let scheme = if is_secure { "https" } else { "http" };
        let begins = |with: &str| {
            text.get(..with.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(with))
        };
        let base = if text.starts_with("//") {
            BaseUrl::parse(&format!("{scheme}:{text}"), EXAMPLE)?
        } else if is_secure && begins("http://") {
            let what = "webdavs: is encrypted, and the address behind it is not";
            return Err(LocationError::malformed(what, EXAMPLE));
        } else {
            BaseUrl::parse(text, EXAMPLE)?
        };
        Ok(Self { base })
    }

    /// The address, without what identifies somebody; its path ends with a slash.
    pub(crate) fn url(&self) -> &Url {
        self.base.url()
    }

    /// User and password, where the address has them.
    pub(crate) fn credentials(&self) -> (Option<&str>, Option<&SecretSource>) {
        (self.base.user(), self.base.password())
    }

    /// Whether nobody on the way can read what is sent: it is encrypted, or does not leave this machine.
    pub(crate) fn is_private(&self) -> bool {
        let host = self.url().host_str().unwrap_or_default();
        let stays_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        self.url().scheme() == "https" || stays_here
    }
}

impl fmt::Display for WebdavLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.base.url().as_str().trim_end_matches('/');
        write!(f, "webdav:{url}")
    }
}

impl fmt::Debug for WebdavLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ways of writing one place must not become two caches, and a password is printed in every error.
    #[test]
    fn every_way_of_writing_it_is_one_place_and_shows_nobody() {
        for (is_secure, text, shown) in [
            (
                false,
                "https://ada:p%40ss@host/d/a",
                "webdav:https://host/d/a",
            ),
            (
                false,
                "//ada:p%40ss@host:81/d/a/",
                "webdav:http://host:81/d/a",
            ),
            (true, "//ada:p%40ss@host/d/a", "webdav:https://host/d/a"),
            (
                true,
                "HTTPS://ada:p%40ss@host/d/a",
                "webdav:https://host/d/a",
            ),
        ] {
            let location = WebdavLocation::parse(is_secure, text).unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), shown);
            let (user, password) = location.credentials();
            assert_eq!(user, Some("ada"));
            assert_eq!(password, Some(&SecretSource::value("p@ss")));
        }
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right_and_never_repeated() {
        for (is_secure, text) in [
            (false, ""),
            (false, "host/path"),
            (false, "//"),
            (true, "http://ada:hunter2@host/"),
            (true, "//ada:hunter2@host:port/"),
            (false, "https://ada:hunter2@host/?a=b"),
        ] {
            let error = WebdavLocation::parse(is_secure, text).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(EXAMPLE), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
