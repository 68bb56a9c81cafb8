//! What a person may set about storages beyond the address: `-o KEY=VALUE`.
//!
//! Every key is known: a kind or a piece of behaviour lists its own in a table ([`OptionInfo`]), the tables are the groups
//! of [`OPTION_GROUPS`], a page in `docs/user/storage/` shows each, and a test compares the two. A key that nobody knows is
//! an error which names the nearest one, since a misspelt `insecure` or `connections` that is passed over in silence would
//! be believed to work.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::units::{parse_duration, parse_rate, parse_size};

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionInfo {
    /// With the group before the dot: `rest.connections`.
    pub key: &'static str,
    /// What stands behind the `=`, as a word: `NUMBER`.
    pub value: &'static str,
    /// What it does and what holds without it, in a sentence.
    pub help: &'static str,
}

/// The keys of a kind of storage, or of behaviour that several share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionGroup {
    /// The part before the dot.
    pub name: &'static str,
    /// Its page for users, below `docs/user/storage/`.
    pub page: &'static str,
    /// The keys.
    pub options: &'static [OptionInfo],
}

/// Every group.
pub const OPTION_GROUPS: &[OptionGroup] = &[
    crate::behaviour::RETRY,
    crate::behaviour::LIMIT,
    crate::http::OPTIONS,
    crate::rest::OPTIONS,
    crate::rclone::OPTIONS,
    crate::sftp::OPTIONS,
    crate::azure::OPTIONS,
    crate::gcs::OPTIONS,
    crate::webdav::OPTIONS,
    crate::s3::OPTIONS,
];

/// An option that cannot be used. Never holds the value, which may be a secret put in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// There is no `=` in it.
    #[error("an option is written KEY=VALUE, such as {example}")]
    NoValue {
        /// A right one.
        example: &'static str,
    },
    /// Nobody knows the key.
    #[error("there is no option `{key}`{}", nearest_in_words(.nearest))]
    Unknown {
        /// As it was written.
        key: String,
        /// The key that it resembles most, if any does.
        nearest: Option<&'static str>,
    },
    /// The value is not what the key takes.
    #[error("the option `{key}` takes {expected}")]
    Malformed {
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: String,
    },
}

impl OptionError {
    /// An option whose value is not `expected`.
    pub(crate) fn malformed(key: &'static str, expected: impl Into<String>) -> Self {
        let expected = expected.into();
        Self::Malformed { key, expected }
    }
}

/// The words of the command or arguments that an option takes, split as a shell does; no shell is involved.
///
/// # Errors
/// [`OptionError::Malformed`], with `expected`, where there is none or a quote without its end.
pub(crate) fn words(
    key: &'static str,
    text: &str,
    expected: &str,
) -> Result<Vec<String>, OptionError> {
    let words = shell_words::split(text).unwrap_or_default();
    match words.is_empty() {
        true => Err(OptionError::malformed(key, expected)),
        false => Ok(words),
    }
}

fn nearest_in_words(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None => {
            let groups: Vec<_> = OPTION_GROUPS.iter().map(|group| group.name).collect();
            format!("; options begin with {}.", groups.join("., "))
        }
    }
}

/// The options that were given, by key; what was given last counts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    values: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Options {
    /// Reads `KEY=VALUE` pairs. Keys of every kind are taken, since one command may speak with several storages.
    ///
    /// # Errors
    /// [`OptionError`] for what is no pair, or a key that is unknown. Values are looked at when a storage is opened.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, OptionError> {
        let mut options = Self::default();
        options.add(pairs)?;
        Ok(options)
    }

    /// Adds `KEY=VALUE` pairs, over what was set before.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn add<'a>(&mut self, pairs: impl IntoIterator<Item = &'a str>) -> Result<(), OptionError> {
        for pair in pairs {
            let (key, value) = pair.split_once('=').ok_or(OptionError::NoValue {
                example: "rest.connections=8",
            })?;
            self.set(key.trim(), value.trim())?;
        }
        Ok(())
    }

    /// Sets one.
    ///
    /// # Errors
    /// [`OptionError::Unknown`].
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> Result<(), OptionError> {
        let wanted = key.to_ascii_lowercase();
        let found = keys().find(|known| *known == wanted);
        let found = found.ok_or_else(|| OptionError::Unknown {
            key: key.to_owned(),
            nearest: nearest(&wanted),
        })?;
        self.values.insert(found, value.into());
        Ok(())
    }

    /// The value as it was written.
    pub(crate) fn text(&self, key: &'static str) -> Option<&str> {
        debug_assert!(keys().any(|known| known == key), "{key} is in no table");
        self.values.get(key).map(String::as_str)
    }

    /// A file or folder.
    pub(crate) fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// `true` or `false`; unset is `false`.
    pub(crate) fn flag(&self, key: &'static str) -> Result<bool, OptionError> {
        match self.text(key) {
            None | Some("false" | "no" | "0") => Ok(false),
            Some("true" | "yes" | "1") => Ok(true),
            Some(_) => Err(OptionError::malformed(key, "true or false")),
        }
    }

    /// A number above zero.
    pub(crate) fn count(&self, key: &'static str) -> Result<Option<NonZeroUsize>, OptionError> {
        self.parsed(key, |text| {
            text.parse().map_err(|_| "a number above zero".to_owned())
        })
    }

    /// A duration.
    pub(crate) fn duration(&self, key: &'static str) -> Result<Option<Duration>, OptionError> {
        let expected = |_| "a duration, such as 30s, 10m or 2h".to_owned();
        self.parsed(key, |text| parse_duration(text).map_err(expected))
    }

    /// A number of bytes that fits into memory.
    pub(crate) fn size(&self, key: &'static str) -> Result<Option<NonZeroUsize>, OptionError> {
        let expected = |_| "a size, such as 8MiB or 500KB".to_owned();
        self.parsed(key, |text| parse_size(text).map_err(expected))
    }

    /// Bytes a second.
    pub(crate) fn rate(&self, key: &'static str) -> Result<Option<NonZeroU64>, OptionError> {
        let expected = |_| "a rate, such as 10MiB/s, 500KB/s or 80Mbit/s".to_owned();
        self.parsed(key, |text| parse_rate(text).map_err(expected))
    }

    fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, OptionError> {
        let value = self.text(key).map(parse).transpose();
        value.map_err(|expected| OptionError::malformed(key, expected))
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    let options = OPTION_GROUPS.iter().flat_map(|group| group.options);
    options.map(|option| option.key)
}

/// The known key with the fewest letters changed, where that is not half of it.
fn nearest(wanted: &str) -> Option<&'static str> {
    let distance = |key: &&'static str| strsim::damerau_levenshtein(wanted, key);
    let key = keys().min_by_key(distance)?;
    (distance(&key) <= key.len() / 3).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt option that is passed over is one that everybody believes to work.
    #[test]
    fn an_unknown_key_is_refused_and_the_nearest_named() {
        for (pair, expected) in [
            ("rest.conections=3", "`rest.connections`"),
            ("http.insecure_tls=true", "`http.insecure-tls`"),
            ("Rest.Connection=3", "`rest.connections`"),
            ("colour=blue", "options begin with retry."),
        ] {
            let error = Options::parse([pair]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Options::parse(["rest.connections"]).is_err());
    }

    #[test]
    fn what_was_given_last_counts_and_values_are_typed() {
        let options = Options::parse(["rest.connections=3", "REST.connections= 4"]).unwrap();
        assert_eq!(options.count("rest.connections"), Ok(NonZeroUsize::new(4)));
        let options = Options::parse(["rest.connections=many"]).unwrap();
        let error = options.count("rest.connections").unwrap_err().to_string();
        assert!(error.contains("rest.connections") && !error.contains("many"));
        let insecure = |value| Options::parse([value]).unwrap().flag("http.insecure-tls");
        assert_eq!(insecure("http.insecure-tls=yes"), Ok(true));
        assert!(insecure("http.insecure-tls=maybe").is_err());
        assert_eq!(Options::default().flag("http.insecure-tls"), Ok(false));
    }

    #[test]
    fn every_key_begins_with_its_group_and_stands_in_one_table() {
        let mut seen = std::collections::BTreeSet::new();
        for group in OPTION_GROUPS {
            for option in group.options {
                let name = option.key.split('.').next();
                assert_eq!(name, Some(group.name), "{}", option.key);
                assert_eq!(option.key, option.key.to_ascii_lowercase());
                assert!(seen.insert(option.key), "{} stands twice", option.key);
            }
        }
    }
}
