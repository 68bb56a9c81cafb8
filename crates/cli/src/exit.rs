//! Exit codes: a contract with scripts. `docs/exit-codes.md` is the same table, compared in a test.

use strongroom_repository::ErrorKind;
use strongroom_storage::ErrorKind as StorageErrorKind;

/// How the program ends. Where restic has a code for the same thing, it is restic's; ours begin at 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Success = 0,
    Failed = 1,
    Usage = 2,
    SourceIncomplete = 3,
    NoRepository = 10,
    Locked = 11,
    WrongPassword = 12,
    PartialRestore = 20,
    DamageFound = 21,
    SignatureWrong = 22,
    StorageUnreachable = 23,
    NotAuthorised = 24,
    NoSpace = 25,
    Refused = 26,
    SourceUnavailable = 27,
    TimedOut = 28,
    Interrupted = 130,
}

impl ExitCode {
    /// Every code, in the order of the numbers.
    #[cfg(test)]
    pub const ALL: [Self; 17] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::SourceIncomplete,
        Self::NoRepository,
        Self::Locked,
        Self::WrongPassword,
        Self::PartialRestore,
        Self::DamageFound,
        Self::SignatureWrong,
        Self::StorageUnreachable,
        Self::NotAuthorised,
        Self::NoSpace,
        Self::Refused,
        Self::SourceUnavailable,
        Self::TimedOut,
        Self::Interrupted,
    ];

    /// What the calling process sees.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in JSON and in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::SourceIncomplete => "source-incomplete",
            Self::NoRepository => "no-repository",
            Self::Locked => "locked",
            Self::WrongPassword => "wrong-password",
            Self::PartialRestore => "partial-restore",
            Self::DamageFound => "damage-found",
            Self::SignatureWrong => "signature-wrong",
            Self::StorageUnreachable => "storage-unreachable",
            Self::NotAuthorised => "not-authorised",
            Self::NoSpace => "no-space",
            Self::Refused => "refused",
            Self::SourceUnavailable => "source-unavailable",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<ErrorKind> for ExitCode {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NoRepository => Self::NoRepository,
            ErrorKind::WrongPassword => Self::WrongPassword,
            ErrorKind::Locked | ErrorKind::LockLost => Self::Locked,
            ErrorKind::Damaged => Self::DamageFound,
            ErrorKind::Invalid => Self::Usage,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Source => Self::SourceUnavailable,
            ErrorKind::NoSpace => Self::NoSpace,
            ErrorKind::Signature => Self::SignatureWrong,
            ErrorKind::Cancelled => Self::Interrupted,
            ErrorKind::RepositoryExists
            | ErrorKind::UnsupportedVersion
            | ErrorKind::NotFound
            | ErrorKind::Ambiguous
            | ErrorKind::Target
            | ErrorKind::Storage
            | ErrorKind::Unsupported
            | ErrorKind::Internal => Self::Failed,
            // The enumeration may grow; what is not known here is at least a failure.
            _ => Self::Failed,
        }
    }
}

impl From<StorageErrorKind> for ExitCode {
    fn from(kind: StorageErrorKind) -> Self {
        match kind {
            StorageErrorKind::PermissionDenied
            | StorageErrorKind::ReadOnly
            | StorageErrorKind::Unauthenticated
            | StorageErrorKind::Untrusted => Self::NotAuthorised,
            StorageErrorKind::NoSpace => Self::NoSpace,
            StorageErrorKind::Unreachable | StorageErrorKind::Throttled => Self::StorageUnreachable,
            StorageErrorKind::TimedOut => Self::TimedOut,
            StorageErrorKind::RangeOutside | StorageErrorKind::Mismatch => Self::DamageFound,
            StorageErrorKind::Unsupported => Self::Usage,
            StorageErrorKind::NotFound | StorageErrorKind::AlreadyExists | StorageErrorKind::Io => {
                Self::Failed
            }
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn t28_the_document_and_the_program_have_one_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exit-codes.md");
        let text = std::fs::read_to_string(path).unwrap();
        let cell = |line: &str, n: usize| {
            let cell = line.split('|').nth(n).unwrap_or_default();
            cell.trim().trim_matches('`').to_owned()
        };
        let written: Vec<(u8, String)> = text
            .lines()
            .filter_map(|line| Some((cell(line, 1).parse().ok()?, cell(line, 2))))
            .collect();
        let known: Vec<(u8, String)> = ExitCode::ALL
            .iter()
            .map(|code| (code.number(), code.name().to_owned()))
            .collect();
        assert_eq!(written, known);
    }
}
