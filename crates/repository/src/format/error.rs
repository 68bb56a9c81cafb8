use crate::error::{Error, ErrorKind};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Not the JSON of this kind of file.
    #[error("not a valid {what}: {detail}")]
    Json {
        /// Kind of file: `snapshot`, `tree` …
        what: &'static str,
        /// What the parser said, with line and column.
        detail: String,
    },
    /// A value that the format does not allow.
    #[error("not a valid {what}: {detail}")]
    Value {
        /// Kind of file: `snapshot`, `tree` …
        what: &'static str,
        /// The value and what is wrong with it.
        detail: String,
    },
    /// A repository version that this program does not know.
    #[error("repository version {0} is not supported")]
    UnsupportedVersion(u64),
    /// Compressed data that cannot be decompressed.
    #[error("compressed data is damaged: {0}")]
    Compression(String),
    /// Data that is, or claims to become, larger than the limit.
    #[error("{what} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// A pack header that does not describe its pack.
    #[error("pack header: {0}")]
    PackHeader(String),
}

impl FormatError {
    pub(crate) fn json(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Json {
            what,
            detail: error.to_string(),
        }
    }

    pub(crate) fn value(what: &'static str, detail: impl Into<String>) -> Self {
        Self::Value {
            what,
            detail: detail.into(),
        }
    }
}

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Self {
        let kind = match error {
            FormatError::UnsupportedVersion(_) => ErrorKind::UnsupportedVersion,
            _ => ErrorKind::Damaged,
        };
        Self::new(kind, error.to_string())
    }
}
