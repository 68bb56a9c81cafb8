//! What can be set for Google Cloud Storage.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::http::Url;
use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::secret::SecretSource;
use crate::{Class, Options, Surroundings};

use super::credentials::Credentials;

/// Options of `gs:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "gcs",
    page: "gcs.md",
    options: &[
        OptionInfo {
            key: ACCESS_TOKEN_COMMAND,
            value: "COMMAND",
            help: "Command that prints an access token, such as \"gcloud auth print-access-token\"; asked again when it has expired",
        },
        OptionInfo {
            key: ACCESS_TOKEN_FILE,
            value: "FILE",
            help: "File that holds an access token",
        },
        OptionInfo {
            key: ANONYMOUS,
            value: "BOOLEAN",
            help: "Sign in as nobody: for emulators, and for reading public buckets",
        },
        OptionInfo {
            key: CHUNK_SIZE,
            value: "SIZE",
            help: "Files above this are sent in pieces of it, a multiple of 256KiB, and go on where they were after a break; otherwise 8MiB, at most 256MiB",
        },
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Requests at the same time; otherwise 5",
        },
        OptionInfo {
            key: CREDENTIALS_FILE,
            value: "FILE",
            help: "Credentials in JSON, of a service account or a user; otherwise as for Google's own programs",
        },
        OptionInfo {
            key: ENDPOINT,
            value: "URL",
            help: "Where the service is reached; otherwise https://storage.googleapis.com",
        },
        OptionInfo {
            key: LOCATION,
            value: "PLACE",
            help: "Where a bucket is made, such as EU or europe-west3; otherwise where the service puts it (US)",
        },
        OptionInfo {
            key: METADATA_STORAGE_CLASS,
            value: "CLASS",
            help: "Storage class of everything but packs of file contents; otherwise that of the bucket",
        },
        OptionInfo {
            key: PROJECT,
            value: "ID",
            help: "Project that a bucket is made in",
        },
        OptionInfo {
            key: STORAGE_CLASS,
            value: "CLASS",
            help: "Storage class of the packs of file contents: STANDARD, NEARLINE, COLDLINE or ARCHIVE; otherwise that of the bucket",
        },
    ],
};

const ACCESS_TOKEN_COMMAND: &str = "gcs.access-token-command";
const ACCESS_TOKEN_FILE: &str = "gcs.access-token-file";
const ANONYMOUS: &str = "gcs.anonymous";
const CHUNK_SIZE: &str = "gcs.chunk-size";
const CONNECTIONS: &str = "gcs.connections";
const CREDENTIALS_FILE: &str = "gcs.credentials-file";
const ENDPOINT: &str = "gcs.endpoint";
const LOCATION: &str = "gcs.location";
const METADATA_STORAGE_CLASS: &str = "gcs.metadata-storage-class";
const PROJECT: &str = "gcs.project";
const STORAGE_CLASS: &str = "gcs.storage-class";

/// What was set, or holds without.
#[derive(Debug)]
pub(crate) struct GcsOptions {
    pub(crate) connections: usize,
    /// Its path has no slash at its end.
    pub(super) endpoint: Url,
    pub(super) chunk_bytes: usize,
    pub(super) project: Option<String>,
    pub(super) place: Option<String>,
    pub(super) classes: StorageClasses,
    pub(super) credentials: Credentials,
}

/// The storage class of each of our classes; `None` is that of the bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StorageClasses {
    data: Option<&'static str>,
    metadata: Option<&'static str>,
}

impl StorageClasses {
    pub(super) fn of(self, class: Class) -> Option<&'static str> {
        match class {
            Class::Data => self.data,
            Class::Metadata => self.metadata,
        }
    }
}

/// Pieces of an upload have to be multiples of this, but for the last.
pub(super) const GRAIN_BYTES: usize = 256 << 10;

impl GcsOptions {
    /// restic's default.
    const CONNECTIONS: usize = 5;
    const CHUNK_BYTES: usize = 8 << 20;
    const MAX_CHUNK_BYTES: usize = 256 << 20;

    /// The options before the surroundings.
    pub(crate) fn new(options: &Options, surroundings: &Surroundings) -> Result<Self, OptionError> {
        let emulator = surroundings.variable(&["STORAGE_EMULATOR_HOST"]);
        let is_emulator = options.text(ENDPOINT).is_none() && emulator.is_some();
        let endpoint = match (options.text(ENDPOINT), emulator) {
            (Some(url), _) => url.to_owned(),
            (None, Some(url)) if url.contains("://") => url.to_owned(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => "https://storage.googleapis.com".to_owned(),
        };
        let chunk_bytes = options.size(CHUNK_SIZE)?;
        let chunk_bytes = chunk_bytes.map_or(Self::CHUNK_BYTES, NonZeroUsize::get);
        if !chunk_bytes.is_multiple_of(GRAIN_BYTES) || chunk_bytes > Self::MAX_CHUNK_BYTES {
            let expected = "a multiple of 256KiB, and at most 256MiB";
            return Err(OptionError::malformed(CHUNK_SIZE, expected));
        }
        let named = |key, variables: &[&str]| {
            let value = options
                .text(key)
                .or_else(|| surroundings.variable(variables));
            value.map(str::to_owned)
        };
        let connections = options.count(CONNECTIONS)?;
        let credentials = match options.flag(ANONYMOUS)? || is_emulator {
            true => Credentials::Nobody,
            false => credentials(options, surroundings)?,
        };
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, NonZeroUsize::get),
            endpoint: address(&endpoint)?,
            chunk_bytes,
            project: named(
                PROJECT,
                &[
                    "STRONGROOM_GOOGLE_PROJECT_ID",
                    "GOOGLE_PROJECT_ID",
                    "GOOGLE_CLOUD_PROJECT",
                ],
            ),
            place: options.text(LOCATION).map(str::to_owned),
            classes: StorageClasses {
                data: class(options, STORAGE_CLASS)?,
                metadata: class(options, METADATA_STORAGE_CLASS)?,
            },
            credentials,
        })
    }

    /// What the person should know before anything is sent.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let host = self.endpoint.host_str().unwrap_or_default();
        let stays_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        let signs_in = !matches!(self.credentials, Credentials::Nobody);
        let warning = "the token that signs in goes over the network unencrypted; whoever reads it there can remove what \
            is stored. Use https in gcs.endpoint";
        let warns = self.endpoint.scheme() == "http" && !stays_here && signs_in;
        warns.then(|| warning.to_owned()).into_iter().collect()
    }
}

/// An option counts more than any variable; then in the order of Google's own programs.
fn credentials(options: &Options, surroundings: &Surroundings) -> Result<Credentials, OptionError> {
    if let Some(file) = options.path(CREDENTIALS_FILE) {
        return Ok(Credentials::File(file));
    }
    let token = SecretSource::find(
        options,
        surroundings,
        (ACCESS_TOKEN_FILE, ACCESS_TOKEN_COMMAND),
        &["STRONGROOM_GOOGLE_ACCESS_TOKEN", "GOOGLE_ACCESS_TOKEN"],
    )?;
    if let Some(token) = token {
        return Ok(Credentials::Token(token));
    }
    let file = surroundings.variable(&[
        "STRONGROOM_GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ]);
    if let Some(file) = file {
        return Ok(Credentials::File(PathBuf::from(file)));
    }
    let gcloud = surroundings
        .variable(&["CLOUDSDK_CONFIG"])
        .map(PathBuf::from);
    let gcloud = gcloud.or_else(|| Some(surroundings.home()?.join(".config/gcloud")));
    let metadata = surroundings.variable(&["GCE_METADATA_HOST"]);
    let metadata = metadata.unwrap_or("metadata.google.internal");
    Ok(Credentials::Usual {
        file: gcloud.map(|folder| folder.join("application_default_credentials.json")),
        metadata: address(&format!("http://{metadata}"))?,
    })
}

/// An address whose path has no slash at its end.
fn address(text: &str) -> Result<Url, OptionError> {
    let expected = "an address that begins with https:// or http://";
    let expected = || OptionError::malformed(ENDPOINT, expected);
    let mut url = Url::parse(text).map_err(|_| expected())?;
    let is_plain = url.query().is_none() && url.username().is_empty() && url.has_host();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err(expected());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn class(options: &Options, key: &'static str) -> Result<Option<&'static str>, OptionError> {
    let Some(text) = options.text(key) else {
        return Ok(None);
    };
    let known = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];
    let class = known.iter().find(|class| class.eq_ignore_ascii_case(text));
    let expected = || OptionError::malformed(key, "STANDARD, NEARLINE, COLDLINE or ARCHIVE");
    class.copied().map(Some).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[&str], variables: &[(&str, &str)]) -> Result<GcsOptions, OptionError> {
        let options = Options::parse(pairs.iter().copied()).unwrap();
        let variables = variables.iter();
        let variables = variables.map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let surroundings = Surroundings::new(variables).with_home(Some("/home/ada".into()));
        GcsOptions::new(&options, &surroundings)
    }

    /// Signed in as somebody else than was meant, a backup ends in a bucket that nobody looks into.
    #[test]
    fn what_was_said_last_and_nearest_signs_in() {
        let all = [
            ("GOOGLE_ACCESS_TOKEN", "token"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/x"),
        ];
        let is = |options: GcsOptions| match options.credentials {
            Credentials::Nobody => "nobody".to_owned(),
            Credentials::Token(_) => "token".to_owned(),
            Credentials::File(file) => file.display().to_string(),
            Credentials::Usual { file, metadata } => {
                format!("{} {metadata}", file.unwrap().display())
            }
        };
        assert_eq!(is(with(&["gcs.credentials-file=/y"], &all).unwrap()), "/y");
        assert_eq!(is(with(&["gcs.anonymous=true"], &all).unwrap()), "nobody");
        assert_eq!(is(with(&[], &all).unwrap()), "token");
        assert_eq!(is(with(&[], &all[1..]).unwrap()), "/x");
        assert_eq!(
            is(with(&[], &[]).unwrap()),
            "/home/ada/.config/gcloud/application_default_credentials.json http://metadata.google.internal/"
        );
        let emulator = [("STORAGE_EMULATOR_HOST", "localhost:9")];
        let options = with(&[], &emulator).unwrap();
        assert_eq!(options.endpoint.as_str(), "http://localhost:9/");
        assert_eq!(is(options), "nobody");
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_a_reason() {
        for (pair, reason) in [
            ("gcs.chunk-size=300KB", "256KiB"),
            ("gcs.chunk-size=1GiB", "256MiB"),
            ("gcs.storage-class=warm", "NEARLINE"),
            ("gcs.endpoint=host", "https://"),
        ] {
            let error = with(&[pair], &[]).unwrap_err().to_string();
            assert!(error.contains(reason), "{pair}: {error}");
        }
    }
}
