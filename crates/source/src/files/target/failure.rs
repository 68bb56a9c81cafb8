//! What the system said, as an error of the target.

use rustix::io::Errno;
use strongroom_repository::restore::{TargetError, TargetErrorKind, TargetPath, TargetResult};

/// An error number with the kind it stands for.
pub(super) struct Failure {
    kind: TargetErrorKind,
    errno: Errno,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        let kind = match errno {
            Errno::NOENT => TargetErrorKind::NotFound,
            Errno::NOTDIR | Errno::LOOP => TargetErrorKind::NotADirectory,
            Errno::NOTEMPTY => TargetErrorKind::NotEmpty,
            Errno::EXIST => TargetErrorKind::Exists,
            Errno::NOSPC | Errno::DQUOT => TargetErrorKind::NoSpace,
            Errno::ROFS => TargetErrorKind::ReadOnly,
            Errno::PERM | Errno::ACCESS => TargetErrorKind::Denied,
            Errno::NAMETOOLONG | Errno::OPNOTSUPP | Errno::NOSYS | Errno::FBIG | Errno::MLINK => {
                TargetErrorKind::Unsupported
            }
            _ => TargetErrorKind::Other,
        };
        Self { kind, errno }
    }
}

impl Failure {
    pub(super) fn at(self, path: &TargetPath, during: &'static str) -> TargetError {
        fail(self.kind, path, during, std::io::Error::from(self.errno))
    }
}

/// An error with its context.
pub(super) fn fail(
    kind: TargetErrorKind,
    path: &TargetPath,
    during: &'static str,
    message: impl std::fmt::Display,
) -> TargetError {
    TargetError {
        kind,
        path: path.clone(),
        during,
        message: message.to_string(),
    }
}

/// Says what was being done to which entry.
pub(super) trait During<T> {
    fn during(self, path: &TargetPath, during: &'static str) -> TargetResult<T>;
}

impl<T> During<T> for rustix::io::Result<T> {
    fn during(self, path: &TargetPath, during: &'static str) -> TargetResult<T> {
        self.map_err(|errno| Failure::from(errno).at(path, during))
    }
}
