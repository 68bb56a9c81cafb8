//! The address of a server.

use std::fmt;

use crate::http::Url;

use crate::LocationError;
use crate::http::BaseUrl;
use crate::secret::SecretSource;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "rest:https://host:8000/path";

/// A server of restic's REST protocol, and the repository on it. Shows no user and no password.
#[derive(Clone, PartialEq, Eq)]
pub struct RestLocation {
    base: BaseUrl,
}

impl RestLocation {
    /// Reads what stands behind `rest:`.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let base = BaseUrl::parse(text, EXAMPLE)?;
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
}

impl fmt::Display for RestLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rest:{}", self.base.url().as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for RestLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address with a password is printed in every error.
    #[test]
    fn what_identifies_somebody_is_taken_and_not_shown() {
        let location = RestLocation::parse("https://ada:p%40ss@host:8000/my/repo").unwrap();
        assert_eq!(location.to_string(), "rest:https://host:8000/my/repo");
        assert_eq!(format!("{location:?}"), location.to_string());
        let (user, password) = location.credentials();
        assert_eq!(user, Some("ada"));
        assert_eq!(password, Some(&SecretSource::value("p@ss")));
        let plain = RestLocation::parse("http://host/").unwrap();
        assert_eq!(plain.credentials(), (None, None));
        assert_eq!(plain.to_string(), "rest:http://host");
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right_and_never_repeated() {
        for text in [
            "",
            "host/path",
            "ftp://ada:hunter2@host/",
            "https://",
            "https://ada:hunter2@host:port/",
            "https://ada:hunter2@host/?a=b",
            "https://ada:hunter2@host/#a",
        ] {
            let error = RestLocation::parse(text).unwrap_err().to_string();
            assert!(error.contains(EXAMPLE), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
