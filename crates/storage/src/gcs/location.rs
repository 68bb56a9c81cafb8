//! The address of a bucket.

use std::fmt;

use crate::LocationError;
use crate::key_prefix::KeyPrefix;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "gs:bucket:/path";

/// A bucket of Google Cloud Storage, and the path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsLocation {
    bucket: String,
    prefix: KeyPrefix,
}

impl GcsLocation {
    /// Reads what stands behind `gs:`: `bucket:/path` as restic writes it, or `//bucket/path`.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let malformed = |what: &str| LocationError::malformed(what, EXAMPLE);
        let (bucket, path) = match text.strip_prefix("//") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => text.split_once(':').unwrap_or((text, "")),
        };
        // The service's own rule for the names of buckets.
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        let at_ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let mut bytes = bucket.bytes();
        let ends_well = at_ends(bytes.next()) && at_ends(bytes.next_back());
        let is_name = (3..=222).contains(&bucket.len())
            && bucket.bytes().all(plain)
            && ends_well
            && !bucket.contains("..");
        if !is_name {
            return Err(malformed(
                "the name of a bucket has at least 3 lower-case letters, digits, hyphens, underscores and dots",
            ));
        }
        let prefix = KeyPrefix::parse(path).map_err(malformed)?;
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix,
        })
    }

    /// The bucket's name, which stands in addresses as it is.
    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The path in it.
    pub(crate) fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }
}

impl fmt::Display for GcsLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs:{}:/{}", self.bucket, self.prefix.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restics_addresses_and_those_with_slashes_are_the_same() {
        for (text, shown) in [
            ("box:/", "gs:box:/"),
            ("box:/a/b", "gs:box:/a/b"),
            ("my.box_1:a/b/", "gs:my.box_1:/a/b"),
            ("//box/a/b", "gs:box:/a/b"),
            ("//box", "gs:box:/"),
        ] {
            assert_eq!(GcsLocation::parse(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "//",
            "Box:/",
            "ab:/",
            "a/b:/",
            "box:/../x",
            "-box:/",
            "a..b:/",
            "box-:/",
        ] {
            let error = GcsLocation::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(EXAMPLE), "{wrong}: {error}");
        }
    }
}
