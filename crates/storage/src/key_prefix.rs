//! The part of a bucket or container that a repository lies in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::StoragePath;

/// What stands in the path of an address as it is: the unreserved characters of RFC 3986, section 2.3.
const WHOLE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same with the slashes between parts.
const PARTS: &AsciiSet = &WHOLE.remove(b'/');

/// What the key of each of our objects begins with: nothing, or folders with a slash behind each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KeyPrefix(String);

impl KeyPrefix {
    /// Longest prefix: a key has 1024 bytes at most, and ours need some of them.
    const MAX_BYTES: usize = 700;

    /// Reads what a person writes; slashes at the ends and double ones count for nothing.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = text.split('/').filter(|part| !part.is_empty());
        let mut prefix = String::new();
        for part in parts {
            if part == "." || part == ".." {
                return Err("a part of the path is `.` or `..`");
            }
            if part.chars().any(char::is_control) {
                return Err("there is a control character in the path");
            }
            prefix.push_str(part);
            prefix.push('/');
        }
        match prefix.len() <= Self::MAX_BYTES {
            true => Ok(Self(prefix)),
            false => Err("the path is too long"),
        }
    }

    /// Without the slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.trim_end_matches('/')
    }

    /// The key of a file.
    pub(crate) fn key(&self, path: &StoragePath) -> String {
        format!("{}{path}", self.0)
    }

    /// What the keys of everything in a folder begin with.
    pub(crate) fn of_folder(&self, folder: Option<&StoragePath>) -> String {
        folder.map_or_else(|| self.0.clone(), |folder| format!("{}{folder}/", self.0))
    }

    /// The file of a key; `None` for what is none of ours.
    pub(crate) fn path(&self, key: &str) -> Option<StoragePath> {
        StoragePath::new(key.strip_prefix(&self.0)?).ok()
    }
}

/// A key as it stands in the path of an address, with its slashes.
pub(crate) fn in_path(key: &str) -> String {
    utf8_percent_encode(key, PARTS).to_string()
}

/// A key or value as one part of an address.
pub(crate) fn as_part(key: &str) -> String {
    utf8_percent_encode(key, WHOLE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository under another key than restic's is one that restic does not find.
    #[test]
    fn keys_go_there_and_back() {
        let path = StoragePath::new("data/ab/abcd").unwrap();
        for (text, shown, key) in [
            ("", "", "data/ab/abcd"),
            ("/", "", "data/ab/abcd"),
            ("/a", "a", "a/data/ab/abcd"),
            ("a//b c/", "a/b c", "a/b c/data/ab/abcd"),
        ] {
            let prefix = KeyPrefix::parse(text).unwrap();
            assert_eq!(prefix.as_str(), shown);
            assert_eq!(prefix.key(&path), key);
            assert_eq!(prefix.path(key), Some(path.clone()));
        }
        let prefix = KeyPrefix::parse("/a").unwrap();
        assert_eq!(prefix.path("ab/config"), None);
        assert_eq!(prefix.path("a/"), None);
        assert_eq!(prefix.of_folder(None), "a/");
        assert_eq!(prefix.of_folder(Some(&path)), "a/data/ab/abcd/");
        assert_eq!(in_path("a b/ü%"), "a%20b/%C3%BC%25");
        assert_eq!(as_part("a/b"), "a%2Fb");
        for wrong in ["..", "a/../b", "./a", "a\nb", &"x".repeat(800)] {
            assert!(KeyPrefix::parse(wrong).is_err());
        }
    }
}
