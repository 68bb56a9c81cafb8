//! The error as the user sees it: what failed and where, the next step, and the exit code.

use strongroom_repository::{Error as RepositoryError, ErrorKind};
use strongroom_storage::StorageError;

use crate::exit::ExitCode;
use crate::hint;

/// Result of a command.
pub type Result<T> = std::result::Result<T, Error>;

/// What ends the program without success.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// How the program ends.
    pub code: ExitCode,
    /// What failed and where, outermost first.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Nothing is to be printed: the reader of standard output has gone.
    pub silent: bool,
    /// The engine's kind, where the engine failed.
    pub kind: Option<ErrorKind>,
}

impl Error {
    /// An error without a hint.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            silent: false,
            kind: None,
        }
    }

    /// The command cannot work as it was written.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// Anything without a code of its own.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Failed, message)
    }

    /// A safety guard says no.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Refused, message)
    }

    /// The user ended the program.
    pub fn interrupted() -> Self {
        Self::new(ExitCode::Interrupted, "interrupted")
    }

    /// Replaces the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// A failure to write results: silent where the reader has gone (`| head`), since that is how a pipe ends.
    pub fn standard_output(error: &std::io::Error) -> Self {
        let mut result = Self::file(error, "write to standard output");
        result.silent = error.kind() == std::io::ErrorKind::BrokenPipe;
        result
    }

    /// A failure with a local file; `doing` names the file.
    pub fn file(error: &std::io::Error, doing: impl std::fmt::Display) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                ExitCode::NoSpace
            }
            _ => ExitCode::Failed,
        };
        let mut result = Self::new(code, format!("{doing}: {error}"));
        result.hint = (code == ExitCode::NoSpace)
            .then(|| "free space on that file system, then run the command again".to_owned());
        result
    }
}

impl From<RepositoryError> for Error {
    fn from(error: RepositoryError) -> Self {
        let storage = error
            .storage()
            .filter(|_| error.kind() == ErrorKind::Storage);
        Self {
            code: storage.map_or_else(|| error.kind().into(), |storage| storage.kind.into()),
            hint: storage
                .map_or_else(|| hint::repository(error.kind()), |s| hint::storage(s.kind))
                .map(str::to_owned),
            message: error.to_string(),
            silent: false,
            kind: Some(error.kind()),
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self {
            code: error.kind.into(),
            hint: hint::storage(error.kind).map(str::to_owned),
            message: error.to_string(),
            silent: false,
            kind: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use strongroom_storage::{ErrorKind as StorageErrorKind, Operation};

    use super::{Error, ExitCode, RepositoryError, StorageError};

    #[test]
    fn the_storage_decides_the_code_of_a_storage_error() {
        let storage = StorageError::new(
            StorageErrorKind::Unreachable,
            Operation::Read,
            "local:/gone",
            None,
            "no route",
        );
        let error = Error::from(RepositoryError::from(storage).context("load index"));
        assert_eq!(error.code, ExitCode::StorageUnreachable);
        assert_eq!(error.message, "load index: read local:/gone: no route");
        assert!(error.hint.is_some());
    }

    #[test]
    fn a_reader_that_has_gone_is_no_news() {
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(Error::standard_output(&broken).silent);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = Error::standard_output(&full);
        assert!(!full.silent && full.code == ExitCode::NoSpace);
    }
}
