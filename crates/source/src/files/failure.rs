//! What went wrong with an entry, before it is known which path to name.

use rustix::io::Errno;
use strongroom_repository::backup::EntryError;

/// A failure without the path it belongs to.
#[derive(Debug)]
pub(super) struct Failure {
    pub during: &'static str,
    pub message: String,
    pub vanished: bool,
}

impl Failure {
    /// A call that failed.
    pub fn call(during: &'static str) -> impl Fn(Errno) -> Self {
        move |error| Self {
            during,
            message: std::io::Error::from(error).to_string(),
            vanished: error == Errno::NOENT,
        }
    }

    /// The entry is no longer what it was when it was listed.
    pub fn changed(during: &'static str, message: &str) -> Self {
        Self {
            during,
            message: message.to_owned(),
            vanished: false,
        }
    }

    /// With the path.
    pub fn at(self, path: Vec<u8>) -> EntryError {
        EntryError {
            path,
            during: self.during,
            message: self.message,
            vanished: self.vanished,
        }
    }
}
