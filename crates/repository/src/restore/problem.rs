//! What keeps an entry from being restored.

use crate::restore::{TargetError, TargetErrorKind};
use crate::{Error, ErrorKind};

/// An entry that is not restored, or not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry below the target, with a `/` in front; raw bytes.
    pub path: Vec<u8>,
    /// What was being done: `load`, `create`, `write` …
    pub during: &'static str,
    /// What kind of error it is: damage of the repository, the target, the storage …
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
}

impl Problem {
    pub(super) fn new(
        path: impl Into<Vec<u8>>,
        during: &'static str,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            during,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn load(path: impl Into<Vec<u8>>, error: &Error) -> Self {
        Self::new(path, "load", error.kind(), error.to_string())
    }
}

impl From<TargetError> for Problem {
    fn from(error: TargetError) -> Self {
        Self::new(
            error.path.absolute(),
            error.during,
            kind(error.kind),
            error.message,
        )
    }
}

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        Self::new(kind(error.kind), error.to_string())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = String::from_utf8_lossy(&self.path);
        write!(f, "{} {path}: {}", self.during, self.message)
    }
}

fn kind(kind: TargetErrorKind) -> ErrorKind {
    match kind {
        TargetErrorKind::NoSpace => ErrorKind::NoSpace,
        _ => ErrorKind::Target,
    }
}

/// A result whose failure concerns one entry alone.
pub(super) type OrProblem<T> = std::result::Result<T, Problem>;
