//! An error on its way out of a kind: what went wrong, before it is known in which call and on which file.

use std::time::Duration;

use crate::{ErrorKind, Operation, Retry, StorageError, StoragePath};

/// An error that does not know yet which call and file it belongs to. Every kind makes these and turns them into a
/// [`StorageError`] at its edge, in one place.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) retry: Retry,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) message: String,
}

impl Failure {
    /// An error that a retry cannot mend.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            retry: Retry::Never,
            retry_after: None,
            message: message.into(),
        }
    }

    /// An error that passes by itself.
    pub(crate) fn passing(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            retry: Retry::Later,
            ..Self::new(kind, message)
        }
    }

    /// With the time that the server wants to be left alone.
    pub(crate) fn after(mut self, pause: Option<Duration>) -> Self {
        self.retry_after = pause;
        self
    }

    /// With the place.
    pub(crate) fn at(
        self,
        operation: Operation,
        location: String,
        path: Option<&StoragePath>,
    ) -> StorageError {
        let mut error = StorageError::new(self.kind, operation, location, path, self.message);
        error.retry = self.retry;
        error.retry_after = self.retry_after;
        error
    }
}
