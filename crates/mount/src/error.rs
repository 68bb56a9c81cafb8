//! What keeps a repository from being mounted.

/// Result of a call that mounts or unmounts.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no folder to mount on, or it cannot be used.
    Mountpoint,
    /// There are files in the folder, which the mount would hide.
    NotEmpty,
    /// A mount whose program is gone still stands there.
    Disconnected,
    /// The system offers no FUSE to this process.
    NoFuse,
    /// A template makes no sense.
    Template,
    /// The system refused.
    System,
    /// The repository could not be read.
    Repository,
}

/// An error with its kind.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    repository: Option<Box<strongroom_repository::Error>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            repository: None,
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The engine's error, where that is the cause.
    pub fn into_repository(self) -> Option<strongroom_repository::Error> {
        self.repository.map(|error| *error)
    }
}

impl From<strongroom_repository::Error> for Error {
    fn from(error: strongroom_repository::Error) -> Self {
        Self {
            kind: ErrorKind::Repository,
            message: error.to_string(),
            repository: Some(Box::new(error)),
        }
    }
}
