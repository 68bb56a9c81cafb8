//! What can be set for a bucket.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::http::{HttpOptions, Url};
use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::{Class, Options, Surroundings, parse_rate};

use super::credentials::Sources;
use super::endpoint::PathStyle;
use super::profile::Profiles;

/// Options of `s3:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "s3",
    page: "s3.md",
    options: &[
        OptionInfo {
            key: ACCESS_KEY,
            value: "ID",
            help: "Id of the access key; otherwise that of the environment or of a profile",
        },
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Requests at the same time; otherwise 5",
        },
        OptionInfo {
            key: ENDPOINT,
            value: "URL",
            help: "Server of an address that names none (s3://bucket/path); otherwise that of the environment, of the profile, or AWS",
        },
        OptionInfo {
            key: LOCK_DAYS,
            value: "NUMBER",
            help: "Days for which what is written cannot be removed; needs s3.lock-mode",
        },
        OptionInfo {
            key: LOCK_MODE,
            value: "MODE",
            help: "Object lock of what is written: governance, which a special right lifts, or compliance, which nobody can lift",
        },
        OptionInfo {
            key: METADATA_CLASS,
            value: "CLASS",
            help: "Storage class of everything but packs of file contents; otherwise that of the bucket",
        },
        OptionInfo {
            key: NO_SIGN,
            value: "BOOLEAN",
            help: "Sign nothing, for a bucket that everybody may read",
        },
        OptionInfo {
            key: PART_SIZE,
            value: "SIZE",
            help: "Files larger than two of these are sent in parts of this size, from 5MiB to 1GiB; otherwise 16MiB",
        },
        OptionInfo {
            key: PATH_STYLE,
            value: "CHOICE",
            help: "Whether the bucket stands in the path (true) or in the name of the host (false); otherwise auto, in the name with AWS alone",
        },
        OptionInfo {
            key: PROFILE,
            value: "NAME",
            help: "Profile of ~/.aws/credentials and ~/.aws/config; otherwise that of AWS_PROFILE, or default",
        },
        OptionInfo {
            key: REGION,
            value: "NAME",
            help: "Region of the bucket; otherwise that of the environment, of the profile, of the host's name, or us-east-1, and whatever the server answers",
        },
        OptionInfo {
            key: SECRET_KEY_COMMAND,
            value: "COMMAND",
            help: "Command that prints the secret key",
        },
        OptionInfo {
            key: SECRET_KEY_FILE,
            value: "FILE",
            help: "File that holds the secret key",
        },
        OptionInfo {
            key: SESSION_TOKEN_COMMAND,
            value: "COMMAND",
            help: "Command that prints the session token of temporary keys",
        },
        OptionInfo {
            key: SESSION_TOKEN_FILE,
            value: "FILE",
            help: "File that holds the session token of temporary keys",
        },
        OptionInfo {
            key: STORAGE_CLASS,
            value: "CLASS",
            help: "Storage class of packs of file contents, such as STANDARD_IA; otherwise that of the bucket",
        },
    ],
};

pub(super) const ACCESS_KEY: &str = "s3.access-key";
const CONNECTIONS: &str = "s3.connections";
const ENDPOINT: &str = "s3.endpoint";
const LOCK_DAYS: &str = "s3.lock-days";
const LOCK_MODE: &str = "s3.lock-mode";
const METADATA_CLASS: &str = "s3.metadata-class";
pub(super) const NO_SIGN: &str = "s3.no-sign";
const PART_SIZE: &str = "s3.part-size";
const PATH_STYLE: &str = "s3.path-style";
pub(super) const PROFILE: &str = "s3.profile";
const REGION: &str = "s3.region";
pub(super) const SECRET_KEY_COMMAND: &str = "s3.secret-key-command";
pub(super) const SECRET_KEY_FILE: &str = "s3.secret-key-file";
pub(super) const SESSION_TOKEN_COMMAND: &str = "s3.session-token-command";
pub(super) const SESSION_TOKEN_FILE: &str = "s3.session-token-file";
const STORAGE_CLASS: &str = "s3.storage-class";

/// For how long, and how firmly, what is written cannot be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lock {
    /// As the protocol writes it.
    pub(super) mode: &'static str,
    pub(super) period: Duration,
}

/// What was set, or holds without.
#[derive(Debug, Clone)]
pub(crate) struct S3Options {
    pub(super) connections: usize,
    pub(super) endpoint: Option<Url>,
    pub(super) region: Option<String>,
    pub(super) path_style: PathStyle,
    pub(super) data_class: Option<String>,
    pub(super) metadata_class: Option<String>,
    pub(super) lock: Option<Lock>,
    pub(super) part_bytes: usize,
    pub(super) sources: Sources,
    pub(super) http: HttpOptions,
}

impl S3Options {
    /// restic's default.
    const CONNECTIONS: usize = 5;
    /// Packs of the usual size go in one request; what is larger is worth parts that are sent side by side.
    const PART_BYTES: u64 = 16 << 20;

    /// The options before the environment, and that before the profile.
    pub(crate) fn new(
        options: &Options,
        surroundings: &Surroundings,
        http: HttpOptions,
    ) -> Result<Self, OptionError> {
        let profiles = Profiles::new(options, surroundings);
        let endpoint = options
            .text(ENDPOINT)
            .or_else(|| surroundings.variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]))
            .map(str::to_owned)
            .or_else(|| profiles.setting("endpoint_url"));
        let region = options
            .text(REGION)
            .or_else(|| surroundings.variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .map(str::to_owned)
            .or_else(|| profiles.setting("region"));
        let path_style = match options.text(PATH_STYLE) {
            None | Some("auto") => PathStyle::Auto,
            Some("true" | "yes" | "1") => PathStyle::Always,
            Some("false" | "no" | "0") => PathStyle::Never,
            Some(_) => return Err(OptionError::malformed(PATH_STYLE, "auto, true or false")),
        };
        let connections = options.count(CONNECTIONS)?;
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, NonZeroUsize::get),
            endpoint: endpoint.map(|url| server(&url)).transpose()?,
            region: region.map(|region| name(REGION, &region)).transpose()?,
            path_style,
            data_class: class(options, STORAGE_CLASS)?,
            metadata_class: class(options, METADATA_CLASS)?,
            lock: lock(options)?,
            part_bytes: part_bytes(options)?,
            sources: Sources::new(options, surroundings, profiles)?,
            http,
        })
    }

    /// The storage class of a file.
    pub(super) fn class(&self, class: Class) -> Option<&str> {
        match class {
            Class::Data => self.data_class.as_deref(),
            Class::Metadata => self.metadata_class.as_deref(),
        }
    }

    /// What the person should know before anything is sent.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.http.warnings()
    }
}

fn server(text: &str) -> Result<Url, OptionError> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.path() == "/";
        let names_nobody = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && is_plain && names_nobody
    });
    url.ok_or_else(|| {
        let expected = "the address of a server, such as https://host:9000 (also from AWS_ENDPOINT_URL or a profile)";
        OptionError::malformed(ENDPOINT, expected)
    })
}

/// What becomes a part of a host's name or of a header has plain letters.
fn name(key: &'static str, text: &str) -> Result<String, OptionError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    match !text.is_empty() && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err(OptionError::malformed(key, "a name of plain letters")),
    }
}

fn class(options: &Options, key: &'static str) -> Result<Option<String>, OptionError> {
    let class = options
        .text(key)
        .map(|class| name(key, class))
        .transpose()?;
    Ok(class.map(|class| class.to_ascii_uppercase()))
}

fn lock(options: &Options) -> Result<Option<Lock>, OptionError> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const MOST_DAYS: usize = 36_500;
    let mode = match options.text(LOCK_MODE) {
        None => None,
        Some("governance") => Some("GOVERNANCE"),
        Some("compliance") => Some("COMPLIANCE"),
        Some(_) => {
            return Err(OptionError::malformed(
                LOCK_MODE,
                "governance or compliance",
            ));
        }
    };
    let days = options.count(LOCK_DAYS)?.map(NonZeroUsize::get);
    if days.is_some_and(|days| days > MOST_DAYS) {
        return Err(OptionError::malformed(LOCK_DAYS, "at most 36500 days"));
    }
    match (mode, days) {
        (None, None) => Ok(None),
        (Some(mode), Some(days)) => {
            let period = DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
            Ok(Some(Lock { mode, period }))
        }
        (Some(_), None) => Err(OptionError::malformed(
            LOCK_MODE,
            "a number of days beside it (s3.lock-days)",
        )),
        (None, Some(_)) => Err(OptionError::malformed(
            LOCK_DAYS,
            "a mode beside it (s3.lock-mode)",
        )),
    }
}

fn part_bytes(options: &Options) -> Result<usize, OptionError> {
    let Some(text) = options.text(PART_SIZE) else {
        return Ok(usize::try_from(S3Options::PART_BYTES).unwrap_or(usize::MAX));
    };
    let bytes = parse_rate(text).ok().map(std::num::NonZeroU64::get);
    bytes
        .filter(|bytes| (5 << 20..=1 << 30).contains(bytes) && !text.contains("/s"))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| OptionError::malformed(PART_SIZE, "a size from 5MiB to 1GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[&str]) -> Result<S3Options, OptionError> {
        let options = Options::parse(pairs.iter().copied()).unwrap();
        let surroundings = Surroundings::default();
        let http = HttpOptions::new(&options, &surroundings, Default::default()).unwrap();
        S3Options::new(&options, &surroundings, http)
    }

    /// Half a lock that is taken for a whole one is found out when the files are gone.
    #[test]
    fn a_lock_needs_its_mode_and_its_days() {
        let lock = read(&["s3.lock-mode=compliance", "s3.lock-days=30"]);
        let lock = lock.unwrap().lock.unwrap();
        assert_eq!(lock.mode, "COMPLIANCE");
        assert_eq!(lock.period, Duration::from_secs(30 * 86_400));
        assert_eq!(read(&[]).unwrap().lock, None);
        for wrong in [
            &["s3.lock-mode=compliance"][..],
            &["s3.lock-days=3"],
            &["s3.lock-mode=forever", "s3.lock-days=3"],
            &["s3.lock-mode=governance", "s3.lock-days=0"],
            &["s3.lock-mode=governance", "s3.lock-days=999999999"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn values_are_typed() {
        let bytes = |pairs: &[&str]| read(pairs).unwrap().part_bytes;
        assert_eq!(
            (bytes(&[]), bytes(&["s3.part-size=8MiB"])),
            (16 << 20, 8 << 20)
        );
        let classes = read(&["s3.storage-class=glacier_ir"]).unwrap();
        assert_eq!(classes.class(Class::Data), Some("GLACIER_IR"));
        assert_eq!(classes.class(Class::Metadata), None);
        for wrong in [
            "s3.part-size=4MiB",
            "s3.part-size=8MiB/s",
            "s3.part-size=5GiB",
            "s3.path-style=maybe",
            "s3.endpoint=host:9000",
            "s3.endpoint=https://a:b@host",
            "s3.endpoint=https://host/path",
            "s3.region=eu west",
            "s3.connections=0",
        ] {
            assert!(read(&[wrong]).is_err(), "{wrong}");
        }
    }
}
