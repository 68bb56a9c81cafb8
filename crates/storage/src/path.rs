//! Names of files inside a storage.

use std::fmt;

/// The name of a file or folder inside a storage: relative, `/` between its parts, every part plain ASCII.
///
/// Holds only `a-z A-Z 0-9 . _ -` and `/`; no part is empty, `.` or `..`; at most 1024 bytes. So a path
/// can be joined to a directory, an object key or a URL as it is, on every kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoragePath(String);

/// A text that is no [`StoragePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no valid name inside a storage")]
pub struct InvalidPath(pub String);

impl StoragePath {
    const MAX_BYTES: usize = 1024;

    /// Checks and takes a path.
    ///
    /// # Errors
    /// [`InvalidPath`] where a rule of the type is broken.
    pub fn new(path: impl Into<String>) -> Result<Self, InvalidPath> {
        let path = path.into();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let part_ok =
            |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain);
        if path.len() <= Self::MAX_BYTES && path.split('/').all(part_ok) {
            Ok(Self(path))
        } else {
            Err(InvalidPath(path))
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names something inside the folder, at any depth.
    pub fn is_below(&self, folder: &Self) -> bool {
        let inside = self.0.strip_prefix(&folder.0);
        inside.is_some_and(|rest| rest.starts_with('/'))
    }

    /// The part before the first `/`; empty for a file that lies in no folder.
    pub(crate) fn top_folder(&self) -> &str {
        self.0.split_once('/').map_or("", |(top, _)| top)
    }

    /// The part behind the last `/`.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::StoragePath;

    #[test]
    fn nothing_that_could_leave_the_storage_is_a_path() {
        for bad in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\\b", "a\0", "é", "a b",
        ] {
            assert!(StoragePath::new(bad).is_err(), "{bad:?}");
        }
        assert!(StoragePath::new("x".repeat(1025)).is_err());
        let path = |text| StoragePath::new(text).unwrap();
        assert!(path("data/ab/c").is_below(&path("data")));
        assert!(!path("data").is_below(&path("data")));
        assert!(!path("data2/a").is_below(&path("data")));
        for good in ["config", "data/ab/abcd", "strongroom/parity/1.json", "..a"] {
            assert!(StoragePath::new(good).is_ok(), "{good:?}");
        }
    }
}
