//! How people name a snapshot: `latest`, the beginning of an identifier, and a folder inside it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{SnapshotFile, SnapshotFilter, sort_newest_first};
use crate::format::Id;
use crate::pattern::clean;
use crate::{Error, ErrorKind, Result};

/// The snapshot part of a [`SnapshotReference`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotName {
    /// The newest that passes the filter.
    Latest,
    /// The one whose identifier begins with these hexadecimal digits (lower case, 1 to 64).
    Prefix(String),
}

/// `latest`, `4f1a`, `latest:/etc`, `4f1a:srv/www`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotReference {
    /// The snapshot.
    pub name: SnapshotName,
    /// The folder (or file) inside it: absolute, cleaned, `/` where none was named.
    pub path: Vec<u8>,
}

impl SnapshotReference {
    /// Whether a part of the snapshot was named, not all of it.
    pub fn names_a_part(&self) -> bool {
        self.path != b"/"
    }

    /// Parses a reference whose path need not be UTF-8.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the part before the colon is neither `latest` nor hexadecimal.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut parts = text.splitn(2, |&byte| byte == b':');
        let name = parts.next().unwrap_or_default();
        let mut path = vec![b'/'];
        path.extend(parts.next().unwrap_or_default());
        Ok(Self {
            name: String::from_utf8_lossy(name).parse()?,
            path: clean(&path),
        })
    }
}

impl FromStr for SnapshotName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text == "latest" {
            Ok(Self::Latest)
        } else if hexadecimal && (1..=64).contains(&text.len()) {
            Ok(Self::Prefix(text.to_ascii_lowercase()))
        } else {
            let message =
                format!("{text:?} is neither \"latest\" nor the beginning of an identifier");
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => "latest",
            Self::Prefix(prefix) => prefix,
        })
    }
}

/// The one identifier that begins with the digits.
///
/// # Errors
/// [`ErrorKind::NotFound`] for none, [`ErrorKind::Ambiguous`] for several, naming the first of them.
pub fn resolve_prefix(prefix: &str, ids: impl IntoIterator<Item = Id>) -> Result<Id> {
    let mut found: Vec<Id> = ids
        .into_iter()
        .filter(|id| id.to_hex().starts_with(prefix))
        .collect();
    found.sort();
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!("no snapshot {prefix:?}"),
        )),
        several => {
            const SHOWN: usize = 8;
            // Enough digits to tell them apart, eight at least.
            let digits = (prefix.len() + 4).clamp(8, 64);
            let mut names: Vec<String> = several
                .iter()
                .take(SHOWN)
                .map(|id| id.to_hex().chars().take(digits).collect())
                .collect();
            if several.len() > SHOWN {
                names.push("…".to_owned());
            }
            let message = format!(
                "{prefix:?} is the beginning of several snapshots: {}",
                names.join(", ")
            );
            Err(Error::new(ErrorKind::Ambiguous, message))
        }
    }
}

/// The newest snapshot that passes the filter.
///
/// One whose time lies after `now` is taken only where there is no other, since a clock that once ran ahead would
/// hide all that came later.
pub fn newest(
    snapshots: Vec<SnapshotFile>,
    filter: &SnapshotFilter,
    now: Timestamp,
) -> Option<SnapshotFile> {
    let mut chosen = filter.choose(snapshots);
    sort_newest_first(&mut chosen);
    let past = chosen
        .iter()
        .position(|stored| stored.snapshot.time.instant() <= now);
    chosen.into_iter().nth(past.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{SnapshotFilter, SnapshotName, SnapshotReference, newest, resolve_prefix};
    use crate::ErrorKind;
    use crate::format::Id;
    use crate::snapshots::example::snapshot;

    #[test]
    fn a_reference_names_a_snapshot_and_a_folder() {
        for (text, name, path) in [
            ("latest", SnapshotName::Latest, "/"),
            ("latest:", SnapshotName::Latest, "/"),
            ("latest:/", SnapshotName::Latest, "/"),
            ("latest:etc/x/", SnapshotName::Latest, "/etc/x"),
            ("4F1a:/a:b", SnapshotName::Prefix("4f1a".into()), "/a:b"),
            ("4f:/../../etc", SnapshotName::Prefix("4f".into()), "/etc"),
        ] {
            let reference = SnapshotReference::parse(text.as_bytes()).unwrap();
            assert_eq!(reference.name, name, "{text:?}");
            assert_eq!(reference.path, path.as_bytes(), "{text:?}");
        }
        for bad in ["", ":/x", "newest", "xyz", &"a".repeat(65)] {
            let error = SnapshotReference::parse(bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad:?}");
        }
    }

    /// The wrong snapshot restored, or forgotten, because two begin alike.
    #[test]
    fn a_prefix_stands_for_one_snapshot_or_none() {
        let with = |first: u8, second: u8| {
            let mut bytes = [0; 32];
            (bytes[0], bytes[1]) = (first, second);
            Id::from_bytes(bytes)
        };
        let ids = [with(0xAB, 0x01), with(0xAB, 0x02), with(0xCD, 0x00)];
        assert_eq!(resolve_prefix("cd", ids).unwrap(), ids[2]);
        assert_eq!(resolve_prefix(&ids[0].to_hex(), ids).unwrap(), ids[0]);
        let error = resolve_prefix("ab", ids).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert!(error.to_string().ends_with("ab010000, ab020000"), "{error}");
        assert_eq!(
            resolve_prefix("12", ids).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn the_newest_is_not_one_of_the_future() {
        let old = snapshot("2024-01-01T00:00:00Z", "ada", &[], &[]);
        let new = snapshot("2024-01-01T01:00:00+00:00", "bob", &[], &[]);
        let future = snapshot("2999-01-01T00:00:00Z", "ada", &[], &[]);
        let all = vec![old.clone(), future.clone(), new.clone()];
        let now = "2024-06-01T00:00:00Z".parse().unwrap();
        let any = SnapshotFilter::default();
        let ada = SnapshotFilter {
            hosts: vec!["ada".into()],
            ..SnapshotFilter::default()
        };
        assert_eq!(newest(all.clone(), &any, now), Some(new));
        assert_eq!(newest(all, &ada, now), Some(old));
        assert_eq!(newest(vec![future.clone()], &any, now), Some(future));
        assert_eq!(newest(Vec::new(), &any, now), None);
    }
}
