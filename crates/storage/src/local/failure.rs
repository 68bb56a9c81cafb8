//! What the operating system says, in the kinds of this crate.

use std::io;

use rustix::io::Errno;

pub(crate) use crate::failure::Failure;
use crate::{ErrorKind, Retry};

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let (kind, retry) = classify(&error);
        Self {
            kind,
            retry,
            retry_after: None,
            message: error.to_string(),
        }
    }
}

/// `EIO` is final: the kernel has already tried again, and a disk does not heal in seconds.
fn classify(error: &io::Error) -> (ErrorKind, Retry) {
    use io::ErrorKind as Io;
    match error.kind() {
        Io::NotFound => (ErrorKind::NotFound, Retry::Never),
        Io::AlreadyExists => (ErrorKind::AlreadyExists, Retry::Never),
        Io::PermissionDenied => (ErrorKind::PermissionDenied, Retry::Never),
        Io::ReadOnlyFilesystem => (ErrorKind::ReadOnly, Retry::Never),
        Io::StorageFull | Io::QuotaExceeded => (ErrorKind::NoSpace, Retry::Never),
        Io::FileTooLarge | Io::InvalidFilename | Io::Unsupported => {
            (ErrorKind::Unsupported, Retry::Never)
        }
        Io::StaleNetworkFileHandle
        | Io::HostUnreachable
        | Io::NetworkUnreachable
        | Io::NetworkDown
        | Io::NotConnected => (ErrorKind::Unreachable, Retry::Later),
        Io::TimedOut => (ErrorKind::TimedOut, Retry::Later),
        Io::Interrupted | Io::WouldBlock | Io::ResourceBusy | Io::OutOfMemory => {
            (ErrorKind::Io, Retry::Later)
        }
        _ => match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => (ErrorKind::Io, Retry::Later),
            Some(Errno::HOSTDOWN) => (ErrorKind::Unreachable, Retry::Later),
            _ => (ErrorKind::Io, Retry::Never),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_becomes_a_kind_and_says_whether_a_retry_helps() {
        let table = [
            (Errno::NOENT, ErrorKind::NotFound, Retry::Never),
            (Errno::EXIST, ErrorKind::AlreadyExists, Retry::Never),
            (Errno::ACCESS, ErrorKind::PermissionDenied, Retry::Never),
            (Errno::PERM, ErrorKind::PermissionDenied, Retry::Never),
            (Errno::ROFS, ErrorKind::ReadOnly, Retry::Never),
            (Errno::NOSPC, ErrorKind::NoSpace, Retry::Never),
            (Errno::DQUOT, ErrorKind::NoSpace, Retry::Never),
            (Errno::FBIG, ErrorKind::Unsupported, Retry::Never),
            (Errno::NAMETOOLONG, ErrorKind::Unsupported, Retry::Never),
            (Errno::IO, ErrorKind::Io, Retry::Never),
            (Errno::STALE, ErrorKind::Unreachable, Retry::Later),
            (Errno::NOTCONN, ErrorKind::Unreachable, Retry::Later),
            (Errno::HOSTDOWN, ErrorKind::Unreachable, Retry::Later),
            (Errno::TIMEDOUT, ErrorKind::TimedOut, Retry::Later),
            (Errno::MFILE, ErrorKind::Io, Retry::Later),
            (Errno::BUSY, ErrorKind::Io, Retry::Later),
        ];
        for (errno, kind, retry) in table {
            let failure = Failure::from(io::Error::from(errno));
            assert_eq!((failure.kind, failure.retry), (kind, retry), "{errno:?}");
        }
    }
}
