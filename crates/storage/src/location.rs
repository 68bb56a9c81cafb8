//! What a person writes after `--repo`, as a typed place.

use crate::azure::AzureLocation;
use crate::gcs::GcsLocation;
use crate::local::LocalLocation;
use crate::rclone::RcloneLocation;
use crate::rest::RestLocation;
use crate::s3::S3Location;
use crate::sftp::SftpLocation;
use crate::webdav::WebdavLocation;

/// Where a storage is. What identifies somebody is in types that do not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A directory: `/path`, `./path` or `local:path`.
    Local(LocalLocation),
    /// A server of restic's REST protocol: `rest:https://host:8000/path`.
    Rest(RestLocation),
    /// Whatever rclone reaches: `rclone:remote:path`.
    Rclone(RcloneLocation),
    /// A folder on a server that is reached over SSH: `sftp://user@host/path`.
    Sftp(SftpLocation),
    /// A container of Azure Blob Storage: `azure:container:/path`.
    Azure(AzureLocation),
    /// A bucket of Google Cloud Storage: `gs:bucket:/path`.
    Gcs(GcsLocation),
    /// A folder on a WebDAV server: `webdavs://host/path`, `webdav:https://host/path`.
    Webdav(WebdavLocation),
    /// A bucket, or a part of one: `s3:https://host:9000/bucket/path` or `s3://bucket/path`.
    S3(S3Location),
}

/// A text that is no location. Never holds the text itself, which may carry a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// A kind that later versions will have.
    #[error(
        "storages of the kind `{kind}` are not in this version; what it has: {}",
        kinds_here()
    )]
    NotInThisVersion {
        /// Its name, as in the text.
        kind: String,
    },
    /// The part before the colon is no kind that we know.
    #[error(
        "`{kind}:` is no kind of storage; a directory whose name holds a colon is written ./{kind}:… or local:{kind}:…; \
         what there is: {}",
        kinds_here()
    )]
    UnknownKind {
        /// The part before the colon.
        kind: String,
    },
    /// The kind is known and the rest is wrong.
    #[error("{what}; it should look like this: {example}")]
    Malformed {
        /// What is wrong.
        what: String,
        /// A right one.
        example: String,
    },
}

/// An address of each kind, as it should look.
const EXAMPLES: &[&str] = &[
    crate::local::EXAMPLE,
    crate::rest::EXAMPLE,
    crate::rclone::EXAMPLE,
    crate::sftp::EXAMPLE,
    crate::azure::EXAMPLE,
    crate::gcs::EXAMPLE,
    crate::webdav::EXAMPLE,
    crate::s3::EXAMPLE,
];

fn kinds_here() -> String {
    EXAMPLES.join("; ")
}

/// Kinds that have a name already, with the layouts that other versions add.
const LATER: &[&str] = &[
    "ftp", "ftps", "smb", "rsync", "b2", "gdrive", "dropbox", "onedrive", "dir",
];

impl LocationError {
    /// A known kind with something wrong behind its name; `what` must not repeat what was written.
    pub(crate) fn malformed(what: impl Into<String>, example: &str) -> Self {
        Self::Malformed {
            what: what.into(),
            example: example.to_owned(),
        }
    }
}

impl Location {
    /// Reads a location. `restic:` before any other is the repository layout, which is the only one here, and is dropped.
    ///
    /// A text is a path unless a colon comes before its first slash.
    ///
    /// # Errors
    /// [`LocationError`], which shows what a right one looks like.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let Some((kind, rest)) = split_kind(text) else {
            return LocalLocation::parse(text).map(Self::Local);
        };
        match kind.to_ascii_lowercase().as_str() {
            "local" => LocalLocation::parse(rest).map(Self::Local),
            "rest" => RestLocation::parse(rest).map(Self::Rest),
            "rclone" => RcloneLocation::parse(rest).map(Self::Rclone),
            "azure" | "azblob" => AzureLocation::parse(rest).map(Self::Azure),
            "gs" => GcsLocation::parse(rest).map(Self::Gcs),
            "sftp" => SftpLocation::parse(rest).map(Self::Sftp),
            secure @ ("webdav" | "webdavs") => {
                WebdavLocation::parse(secure == "webdavs", rest).map(Self::Webdav)
            }
            "s3" => S3Location::parse(rest).map(Self::S3),
            "restic" if split_kind(rest).is_none_or(|(inner, _)| inner != "restic") => {
                Self::parse(rest)
            }
            "file" => Err(LocationError::malformed(
                "`file:` is written `local:` here",
                crate::local::EXAMPLE,
            )),
            known if LATER.contains(&known) => Err(LocationError::NotInThisVersion {
                kind: known.to_owned(),
            }),
            _ => Err(LocationError::UnknownKind {
                kind: kind.to_owned(),
            }),
        }
    }
}

/// The part before a colon that comes before any slash, and the part behind it.
fn split_kind(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once(':')?;
    let is_path = kind.contains('/') || kind.starts_with('.');
    (!is_path).then_some((kind, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_directories() {
        let table = [
            ("/srv/backup", "/srv/backup"),
            ("backup", "backup"),
            ("./a:b", "./a:b"),
            ("../a:b", "../a:b"),
            ("/a:b/s3:c", "/a:b/s3:c"),
            ("a/b:c", "a/b:c"),
            ("local:/srv/backup", "/srv/backup"),
            ("local:backup", "backup"),
            ("local:a:b", "a:b"),
            ("LOCAL:/x", "/x"),
            ("restic:/srv/backup", "/srv/backup"),
            ("restic:local:/srv/backup", "/srv/backup"),
        ];
        for (text, expected) in table {
            assert_eq!(
                Location::parse(text),
                Ok(Location::Local(LocalLocation::new(expected))),
                "{text}"
            );
        }
    }

    #[test]
    fn kinds_of_later_versions_are_called_by_name() {
        for text in [
            "ftp://h/p",
            "ftps://h/p",
            "smb://h/p",
            "rsync://h/p",
            "b2://b/p",
            "gdrive://p",
            "dropbox://p",
            "onedrive://p",
            "b2:user:hunter2@host/",
            "dir:/path",
            "restic:b2://bucket",
        ] {
            let error = Location::parse(text).unwrap_err();
            assert!(
                matches!(error, LocationError::NotInThisVersion { .. }),
                "{text}: {error}"
            );
            assert!(error.to_string().contains("local:/srv/backup"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    /// A mistyped kind taken for a folder name would back up into a folder called `s4:`.
    #[test]
    fn what_is_wrong_is_answered_with_what_is_right() {
        for text in [
            "",
            "local:",
            "restic:",
            "~",
            "~/backup",
            "local:~/backup",
            "file:///srv/backup",
            "a\0b",
        ] {
            let error = Location::parse(text).unwrap_err();
            assert!(
                matches!(error, LocationError::Malformed { .. }),
                "{text:?}: {error}"
            );
            assert!(error.to_string().contains("local:/srv/backup"), "{error}");
        }
        for text in [
            "s4://bucket",
            "host:/path",
            "restic:restic:/x",
            ":x",
            "C:\\backup",
        ] {
            let error = Location::parse(text).unwrap_err();
            assert!(
                matches!(error, LocationError::UnknownKind { .. }),
                "{text:?}: {error}"
            );
        }
    }
}
