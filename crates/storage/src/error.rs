//! The one error type of every storage: a kind to branch on, whether a retry can help, and where it happened.

use std::fmt;
use std::time::Duration;

use crate::StoragePath;

/// Result of a storage call.
pub type Result<T> = std::result::Result<T, StorageError>;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file, or the storage itself, does not exist.
    NotFound,
    /// A file of that name exists and the write asked for a new one.
    AlreadyExists,
    /// The storage refused: wrong rights on a file or a bucket.
    PermissionDenied,
    /// The storage can be read but not written.
    ReadOnly,
    /// No space or no quota left.
    NoSpace,
    /// Sign-in failed or has expired.
    Unauthenticated,
    /// The other side cannot show that it is who it should be: its certificate or host key is unknown or has changed.
    Untrusted,
    /// The storage cannot be reached.
    Unreachable,
    /// An operation exceeded its time-out.
    TimedOut,
    /// The storage asks for fewer requests.
    Throttled,
    /// A range lies (partly) outside the file.
    RangeOutside,
    /// What was stored or read is not what was asked for (wrong size or checksum).
    Mismatch,
    /// The kind cannot do this; see [`crate::Capabilities`].
    Unsupported,
    /// Any other input or output error.
    Io,
}

/// Whether repeating the same call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The cause passes by itself: a lost connection, a throttle.
    Later,
}

/// The call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`crate::Storage::create`]
    Create,
    /// [`crate::Storage::list`]
    List,
    /// [`crate::Storage::stat`]
    Stat,
    /// [`crate::Storage::read`]
    Read,
    /// [`crate::Storage::write`]
    Write,
    /// [`crate::Storage::delete`]
    Delete,
    /// [`crate::Storage::hold`]
    Hold,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Stat => "stat",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Hold => "hold",
        })
    }
}

/// An error of a storage, with the place it happened at.
///
/// Never carries credentials: `location` is [`crate::Storage::location`].
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}: {message}", self.place())]
pub struct StorageError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whether a retry can help.
    pub retry: Retry,
    /// How long the storage wants to be left alone before that, where it says so.
    pub retry_after: Option<Duration>,
    /// The call.
    pub operation: Operation,
    /// The storage.
    pub location: String,
    /// The file, where one was named.
    pub path: Option<StoragePath>,
    /// What the system, the protocol or the server said.
    pub message: String,
}

impl StorageError {
    /// An error that a retry cannot mend. Add the rest with [`Self::retryable`].
    pub fn new(
        kind: ErrorKind,
        operation: Operation,
        location: impl Into<String>,
        path: Option<&StoragePath>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            retry: Retry::Never,
            retry_after: None,
            operation,
            location: location.into(),
            path: path.cloned(),
            message: message.into(),
        }
    }

    /// Marks the error as one that passes by itself.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retry = Retry::Later;
        self
    }

    fn place(&self) -> String {
        match &self.path {
            Some(path) => format!("{}/{}", self.location, path),
            None => self.location.clone(),
        }
    }
}
