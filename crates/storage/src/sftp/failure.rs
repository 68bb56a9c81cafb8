//! What a server's refusals mean.

use bytes::Bytes;

use crate::failure::Failure;
use crate::{ErrorKind, Retry};

/// Codes of the draft, and those of later versions that some servers send all the same.
mod code {
    pub(super) const END_OF_FILE: u32 = 1;
    pub(super) const NO_SUCH_FILE: u32 = 2;
    pub(super) const PERMISSION_DENIED: u32 = 3;
    pub(super) const FAILURE: u32 = 4;
    pub(super) const BAD_MESSAGE: u32 = 5;
    pub(super) const NO_CONNECTION: u32 = 6;
    pub(super) const CONNECTION_LOST: u32 = 7;
    pub(super) const UNSUPPORTED: u32 = 8;
    pub(super) const NO_SUCH_PATH: u32 = 10;
    pub(super) const ALREADY_EXISTS: u32 = 11;
    pub(super) const WRITE_PROTECT: u32 = 12;
    pub(super) const NO_SPACE: u32 = 14;
    pub(super) const QUOTA: u32 = 15;
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server said no.
    Refused(Refusal),
    /// The session is over, or the server does not keep to the protocol.
    Ended(Failure),
}

/// A status that is not success.
#[derive(Debug)]
pub(super) struct Refusal {
    code: u32,
    message: Bytes,
}

impl Refusal {
    pub(super) fn new(code: u32, message: Bytes) -> Self {
        Self { code, message }
    }

    pub(super) fn is_end(&self) -> bool {
        self.code == code::END_OF_FILE
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.code, code::NO_SUCH_FILE | code::NO_SUCH_PATH)
    }

    /// OpenSSH says this of everything that the draft has no word for: no space, a name that is taken, a folder
    /// where a file should be. So whoever meets it has to look for the reason.
    pub(super) fn says_nothing(&self) -> bool {
        self.code == code::FAILURE
    }

    /// A name that is too long, among others.
    pub(super) fn is_bad_name(&self) -> bool {
        self.code == code::BAD_MESSAGE
    }

    pub(super) fn is_taken(&self) -> bool {
        self.code == code::ALREADY_EXISTS
    }

    pub(super) fn is_unsupported(&self) -> bool {
        self.code == code::UNSUPPORTED
    }

    fn kind(&self) -> (ErrorKind, Retry) {
        match self.code {
            code::NO_SUCH_FILE | code::NO_SUCH_PATH => (ErrorKind::NotFound, Retry::Never),
            code::PERMISSION_DENIED => (ErrorKind::PermissionDenied, Retry::Never),
            code::ALREADY_EXISTS => (ErrorKind::AlreadyExists, Retry::Never),
            code::WRITE_PROTECT => (ErrorKind::ReadOnly, Retry::Never),
            code::NO_SPACE | code::QUOTA => (ErrorKind::NoSpace, Retry::Never),
            code::UNSUPPORTED | code::BAD_MESSAGE => (ErrorKind::Unsupported, Retry::Never),
            code::NO_CONNECTION | code::CONNECTION_LOST => (ErrorKind::Unreachable, Retry::Later),
            _ => (ErrorKind::Io, Retry::Never),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (kind, retry) = refusal.kind();
        // What a server writes may hold anything; what a terminal would act on is made harmless where it is printed.
        let said = String::from_utf8_lossy(&refusal.message);
        let message = match said.trim() {
            "" => format!("the server answered with status {}", refusal.code),
            said => format!("the server says: {said}"),
        };
        match retry {
            Retry::Never => Self::new(kind, message),
            Retry::Later => Self::passing(kind, message),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            Fault::Ended(failure) => failure,
        }
    }
}

impl Fault {
    /// An answer of another type than the request can have.
    pub(super) fn unexpected() -> Self {
        Self::Ended(Failure::new(
            ErrorKind::Io,
            "the server's answer does not fit the question",
        ))
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_not_found())
    }

    pub(super) fn says_nothing(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.says_nothing())
    }

    pub(super) fn is_unsupported(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_unsupported())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_becomes_a_kind_and_says_whether_a_retry_helps() {
        let table = [
            (2, ErrorKind::NotFound, Retry::Never),
            (3, ErrorKind::PermissionDenied, Retry::Never),
            (4, ErrorKind::Io, Retry::Never),
            (5, ErrorKind::Unsupported, Retry::Never),
            (6, ErrorKind::Unreachable, Retry::Later),
            (7, ErrorKind::Unreachable, Retry::Later),
            (8, ErrorKind::Unsupported, Retry::Never),
            (11, ErrorKind::AlreadyExists, Retry::Never),
            (12, ErrorKind::ReadOnly, Retry::Never),
            (14, ErrorKind::NoSpace, Retry::Never),
            (15, ErrorKind::NoSpace, Retry::Never),
            (99, ErrorKind::Io, Retry::Never),
        ];
        for (code, kind, retry) in table {
            let failure = Failure::from(Refusal::new(code, Bytes::from_static(b"why")));
            assert_eq!((failure.kind, failure.retry), (kind, retry), "{code}");
            assert!(failure.message.contains("why"));
        }
    }
}
