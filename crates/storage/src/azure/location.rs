//! The address of a container.

use std::fmt;

use crate::LocationError;
use crate::key_prefix::KeyPrefix;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "azure:container:/path";

/// A container of Azure Blob Storage, and the path in it. The account is an option, since restic's addresses have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureLocation {
    container: String,
    prefix: KeyPrefix,
}

impl AzureLocation {
    /// Reads what stands behind `azure:` or `azblob:`: `container:/path` as restic writes it, or `//container/path`.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let malformed = |what: &str| LocationError::malformed(what, EXAMPLE);
        let (container, path) = match text.strip_prefix("//") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => text.split_once(':').unwrap_or((text, "")),
        };
        // The service's own rule for the names of containers.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_name = (3..=63).contains(&container.len())
            && container.bytes().all(plain)
            && !container.starts_with('-')
            && !container.ends_with('-')
            && !container.contains("--");
        if !is_name && container != "$root" {
            return Err(malformed(
                "the name of a container has 3 to 63 lower-case letters, digits and single hyphens",
            ));
        }
        let prefix = KeyPrefix::parse(path).map_err(malformed)?;
        Ok(Self {
            container: container.to_owned(),
            prefix,
        })
    }

    /// The container's name.
    pub(crate) fn container(&self) -> &str {
        &self.container
    }

    /// The path in it.
    pub(crate) fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }
}

impl fmt::Display for AzureLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "azure:{}:/{}", self.container, self.prefix.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restics_addresses_and_those_with_slashes_are_the_same() {
        for (text, shown) in [
            ("box:/", "azure:box:/"),
            ("box:/a/b", "azure:box:/a/b"),
            ("box:a/b/", "azure:box:/a/b"),
            ("box", "azure:box:/"),
            ("//box/a/b", "azure:box:/a/b"),
            ("//box", "azure:box:/"),
        ] {
            assert_eq!(AzureLocation::parse(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "//",
            "Box:/",
            "ab:/",
            "a_b:/",
            "box:/../x",
            "-box:/",
            "bo--x:/",
        ] {
            let error = AzureLocation::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(EXAMPLE), "{wrong}: {error}");
        }
    }
}
