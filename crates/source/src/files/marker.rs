//! Files that mark the directory they lie in as not to be backed up.

use std::ffi::CString;
use std::io::Read;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Mode, OFlags};

use crate::files::FilesError;

/// A file name, and what the file has to begin with, that marks a directory: its content is left out but for the marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub(super) name: CString,
    header: Vec<u8>,
}

impl Marker {
    /// `FILE` or `FILE:HEADER`, as in `--exclude-if-present`.
    pub fn parse(text: &str) -> Result<Self, FilesError> {
        let (name, header) = text.split_once(':').unwrap_or((text, ""));
        match CString::new(name) {
            Ok(c_name) if !name.is_empty() => Ok(Self {
                name: c_name,
                header: header.as_bytes().to_vec(),
            }),
            _ => Err(FilesError::InvalidMarker(text.to_owned())),
        }
    }

    /// The mark of the Cache Directory Tagging Standard, as in `--exclude-caches`.
    pub fn cache_directory() -> Self {
        Self {
            name: c"CACHEDIR.TAG".to_owned(),
            header: b"Signature: 8a477f597d28d172789f06886806bc55".to_vec(),
        }
    }

    /// Whether a directory is marked. A marker that cannot be read marks nothing: rather too much is stored than too little.
    pub(super) fn marks(&self, directory: BorrowedFd<'_>) -> bool {
        if self.header.is_empty() {
            return rustix::fs::statat(
                directory,
                &self.name,
                rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
            )
            .is_ok();
        }
        self.has_header(directory).unwrap_or(false)
    }

    /// Does not wait for a writer where a fifo lies in the marker's place.
    fn has_header(&self, directory: BorrowedFd<'_>) -> std::io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = rustix::fs::openat(directory, &self.name, flags, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Ok(false);
        }
        let mut start = Vec::with_capacity(self.header.len());
        std::fs::File::from(file)
            .take(self.header.len() as u64)
            .read_to_end(&mut start)?;
        Ok(start == self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_needs_a_name() {
        assert!(Marker::parse("").is_err());
        assert!(Marker::parse(":header").is_err());
        assert_eq!(Marker::parse("f:a:b").unwrap().header, b"a:b");
    }
}
