//! A directory as an address.

use std::path::{Path, PathBuf};

use crate::LocationError;

/// What an address looks like.
pub(crate) const EXAMPLE: &str = "/srv/backup or local:/srv/backup";

/// A directory of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalLocation {
    path: PathBuf,
}

impl LocalLocation {
    /// The directory at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads what stands behind `local:`, or an address without a kind.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let malformed = |what| Err(LocationError::malformed(what, EXAMPLE));
        if text.is_empty() {
            return malformed("no place is named");
        }
        if text == "~" || text.starts_with("~/") {
            return malformed("`~` is not replaced by the home folder here, write that out");
        }
        if text.contains('\0') {
            return malformed("a path cannot hold a zero byte");
        }
        Ok(Self::new(text))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
