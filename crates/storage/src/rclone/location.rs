//! A remote of rclone's and a path on it.

use std::fmt;

use crate::LocationError;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "rclone:remote:path";

/// A remote by the name that rclone's configuration gives it, and a path. Settings that are written into the address
/// (`remote,key=value:path`) are passed on and not shown, since they may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct RcloneLocation {
    remote: String,
}

impl RcloneLocation {
    /// Reads what stands behind `rclone:`.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let malformed = |what| Err(LocationError::malformed(what, EXAMPLE));
        if !text.contains(':') {
            return malformed("a remote of rclone's ends with a colon");
        }
        if text.starts_with('-') {
            return malformed("a remote of rclone's does not begin with `-`");
        }
        if text.contains('\0') {
            return malformed("an address cannot hold a zero byte");
        }
        Ok(Self {
            remote: text.to_owned(),
        })
    }

    /// As rclone takes it.
    pub(crate) fn argument(&self) -> &str {
        &self.remote
    }
}

impl fmt::Display for RcloneLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remote.split_once(',') {
            None => write!(f, "rclone:{}", self.remote),
            // Values may be quoted and hold colons, so all that is behind the first comma stays unseen.
            Some((name, _)) => write!(f, "rclone:{name},…"),
        }
    }
}

impl fmt::Debug for RcloneLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_in_an_address_are_passed_on_and_not_shown() {
        let plain = RcloneLocation::parse("remote:my/path").unwrap();
        assert_eq!(plain.to_string(), "rclone:remote:my/path");
        let secret = ":sftp,host=example.org,pass=\"hunter2:x\":path";
        let location = RcloneLocation::parse(secret).unwrap();
        assert_eq!(location.argument(), secret);
        assert_eq!(format!("{location:?}"), "rclone::sftp,…");
        for text in ["", "remote", "--config=x:y", "a:\0"] {
            let error = RcloneLocation::parse(text).unwrap_err().to_string();
            assert!(error.contains(EXAMPLE), "{error}");
        }
    }
}
