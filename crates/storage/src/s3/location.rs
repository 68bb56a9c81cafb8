//! The address of a bucket, or of a part of one.

use std::fmt;

use crate::LocationError;
use crate::http::{BaseUrl, Url};

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "s3:https://host:9000/bucket/path";

/// A bucket and the part of it that the storage has. Holds nothing that identifies somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The server; `None` for AWS, or the one that the options and the environment name.
    server: Option<Url>,
    bucket: String,
    /// Without slashes at its ends; empty for the whole bucket.
    prefix: String,
}

impl S3Location {
    /// Reads what stands behind `s3:`, as restic does: `https://host:port/bucket/prefix` or `host/bucket/prefix`. Beyond that
    /// `//bucket/prefix`, as other programs for AWS have it.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let is_http = text
            .get(..4)
            .is_some_and(|t| t.eq_ignore_ascii_case("http"));
        match text.strip_prefix("//") {
            Some(rest) => Self::of_bucket(rest),
            None if is_http && text.contains("://") => Self::of_url(text),
            None => Self::of_host(text),
        }
    }

    fn of_url(text: &str) -> Result<Self, LocationError> {
        // Whoever parses an address takes these away, and then another bucket is meant than was written.
        let leads_elsewhere = |part: &str| {
            let part = percent_encoding::percent_decode_str(part).decode_utf8_lossy();
            part == "." || part == ".."
        };
        if text.split(['/', '\\']).any(leads_elsewhere) {
            return Err(malformed("the path has a part that leads elsewhere"));
        }
        let base = BaseUrl::parse(text, EXAMPLE)?;
        if base.user().is_some() || base.password().is_some() {
            return Err(LocationError::malformed(
                "keys do not stand in the address, where everybody sees them, but in the environment, a profile or options",
                EXAMPLE,
            ));
        }
        let mut server = base.url().clone();
        let path = percent_encoding::percent_decode_str(server.path()).decode_utf8();
        let path = path.map_err(|_| malformed("the path is not text"))?;
        let (bucket, prefix) = bucket_and_prefix(&path)?;
        server.set_path("/");
        Ok(Self {
            server: Some(server),
            bucket,
            prefix,
        })
    }

    fn of_host(text: &str) -> Result<Self, LocationError> {
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        if host.is_empty() || host.contains('@') {
            return Err(malformed("the address begins with no host"));
        }
        let base = BaseUrl::parse(&format!("https://{host}/"), EXAMPLE)?;
        let (bucket, prefix) = bucket_and_prefix(path)?;
        Ok(Self {
            server: Some(base.url().clone()),
            bucket,
            prefix,
        })
    }

    fn of_bucket(text: &str) -> Result<Self, LocationError> {
        let (bucket, prefix) = bucket_and_prefix(text)?;
        // Other programs write a server there, and a repository that is looked for in the wrong place seems to be lost.
        if bucket.contains(['.', ':']) || bucket == "localhost" {
            return Err(malformed(
                "behind s3:// stands a bucket of AWS, and this looks like a server; with a server write s3:https://host/bucket, and \
                 for a bucket with dots in its name s3:s3.amazonaws.com/my.bucket",
            ));
        }
        Ok(Self {
            server: None,
            bucket,
            prefix,
        })
    }

    /// The server, where the address names one; its path is `/`.
    pub(super) fn server(&self) -> Option<&Url> {
        self.server.as_ref()
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What the keys of the storage begin with: empty, or with a slash at its end.
    pub(super) fn key_prefix(&self) -> String {
        match self.prefix.is_empty() {
            true => String::new(),
            false => format!("{}/", self.prefix),
        }
    }
}

fn malformed(what: &str) -> LocationError {
    LocationError::malformed(what, EXAMPLE)
}

/// A path with doubled slashes names what one names, as with restic. Dots that lead elsewhere are none of a bucket's.
fn bucket_and_prefix(path: &str) -> Result<(String, String), LocationError> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let bucket = parts
        .next()
        .ok_or_else(|| malformed("the address names no bucket"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if bucket.len() > 255 || !bucket.chars().all(plain) || bucket.trim_matches('.').is_empty() {
        return Err(malformed(
            "the bucket's name has letters that no bucket has",
        ));
    }
    let parts: Vec<_> = parts.collect();
    let is_odd = |part: &&str| matches!(*part, "." | "..") || part.contains(char::is_control);
    if parts.iter().any(is_odd) {
        return Err(malformed("a part of the path is `.`, `..` or no text"));
    }
    Ok((bucket.to_owned(), parts.join("/")))
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "s3:{server}{}", self.bucket)?,
            None => write!(f, "s3://{}", self.bucket)?,
        }
        match self.prefix.is_empty() {
            true => Ok(()),
            false => write!(f, "/{}", self.prefix),
        }
    }
}

impl fmt::Debug for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository of restic's must be found where restic has put it.
    #[test]
    fn addresses_mean_what_they_mean_to_restic() {
        for (text, shown, bucket, prefix) in [
            (
                "https://host:9000/b/p/q",
                "s3:https://host:9000/b/p/q",
                "b",
                "p/q/",
            ),
            (
                "http://127.0.0.1:9000/b",
                "s3:http://127.0.0.1:9000/b",
                "b",
                "",
            ),
            ("https://host/b//p/", "s3:https://host/b/p", "b", "p/"),
            ("https://host/b/a%20b", "s3:https://host/b/a b", "b", "a b/"),
            ("host/b/a%20b", "s3:https://host/b/a%20b", "b", "a%20b/"),
            (
                "s3.amazonaws.com/b/p",
                "s3:https://s3.amazonaws.com/b/p",
                "b",
                "p/",
            ),
            (
                "host:9000/my.bucket",
                "s3:https://host:9000/my.bucket",
                "my.bucket",
                "",
            ),
            ("httpd/b", "s3:https://httpd/b", "b", ""),
            ("//bucket/p", "s3://bucket/p", "bucket", "p/"),
            ("//bucket", "s3://bucket", "bucket", ""),
        ] {
            let location = S3Location::parse(text).unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), shown);
            assert_eq!(
                (location.bucket(), location.key_prefix().as_str()),
                (bucket, prefix)
            );
        }
        assert!(S3Location::parse("//bucket").unwrap().server().is_none());
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right_and_never_repeated() {
        for text in [
            "",
            "host",
            "https://host/",
            "https://key:hunter2@host/bucket",
            "key:hunter2@host/bucket",
            "https://host/bucket/../other",
            "https://host/bucket/%2e%2e/other",
            "https://host/buc ket",
            "https://host/b?versions",
            "//minio.example.org/bucket",
            "//localhost:9000/bucket",
            "//",
            "/bucket",
        ] {
            let error = S3Location::parse(text).unwrap_err().to_string();
            assert!(error.contains(EXAMPLE), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
