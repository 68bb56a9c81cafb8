//! The engine's error: a kind to branch on and the context in which it happened.

use strongroom_storage::StorageError;

/// Result of an engine call.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no repository at the storage.
    NoRepository,
    /// There is a repository already.
    RepositoryExists,
    /// The repository has a version that this program does not know.
    UnsupportedVersion,
    /// No key of the repository opens with this password.
    WrongPassword,
    /// Another process holds a lock that excludes this one.
    Locked,
    /// This process lost its lock (it slept past the lock's life, or somebody removed it).
    LockLost,
    /// What was read is not what was written: wrong hash, MAC, encoding or structure.
    Damaged,
    /// A snapshot, key, blob or path that was asked for does not exist.
    NotFound,
    /// A name that was given matches more than one thing.
    Ambiguous,
    /// The request makes no sense (a bad pattern, an impossible combination).
    Invalid,
    /// A safety guard refused (a policy that would remove everything, a plan that is out of date).
    Refused,
    /// The source could not be read at all.
    Source,
    /// The target could not be written.
    Target,
    /// There is no space left where something was to be written.
    NoSpace,
    /// The storage cannot hold what this needs; see [`strongroom_storage::Capabilities`]. Nothing was changed.
    Unsupported,
    /// A signature is missing, wrong, or of another state of the repository.
    Signature,
    /// The operation was cancelled.
    Cancelled,
    /// The storage failed; [`Error::storage`] says how.
    Storage,
    /// A bug or a limit of this program.
    Internal,
}

/// An error with the context it happened in, outermost first: `load snapshot 12ab34cd: decrypt: wrong MAC`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    storage: Option<Box<StorageError>>,
}

impl Error {
    /// An error of a kind, with what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            storage: None,
        }
    }

    /// What was read is damaged.
    pub fn damaged(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, message)
    }

    /// The operation was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The storage's error, where one is the cause.
    pub fn storage(&self) -> Option<&StorageError> {
        self.storage.as_deref()
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        let kind = match error.kind {
            strongroom_storage::ErrorKind::NoSpace => ErrorKind::NoSpace,
            _ => ErrorKind::Storage,
        };
        Self {
            kind,
            message: error.to_string(),
            storage: Some(Box::new(error)),
        }
    }
}

/// Adds context to the error of a result.
pub trait Context<T> {
    /// Puts what was being done in front of the error's message.
    fn context<D: std::fmt::Display>(self, doing: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context<D: std::fmt::Display>(self, doing: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| error.into().context(doing()))
    }
}
