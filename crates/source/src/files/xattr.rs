//! Extended attributes, ACLs among them.
//!
//! They are read through `/proc/self/fd/N/NAME`, where `N` is the open directory: that works for every kind of entry
//! without opening it (a fifo would block, a device might act), cannot get too long, and follows no symbolic link.
//! Those of a file that is read are read through the open file, for half the time.
//! Where `/proc` is not mounted they are read by the whole path, which the system limits to 4,096 bytes.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{fgetxattr, flistxattr, getxattr, lgetxattr, listxattr, llistxattr};
use rustix::io::Errno;
use strongroom_repository::format::ExtendedAttribute;

use crate::files::failure::Failure;

/// Room for the names or a value in the usual case. The system's limit is 64 KiB for each of them.
const USUAL_BYTES: usize = 1024;
const MOST_BYTES: usize = 64 * 1024;

/// The path of an open file, or of an entry of an open directory, that is valid as long as the descriptor is open.
pub(super) fn through_proc(descriptor: &OwnedFd, name: Option<&CStr>) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}", descriptor.as_raw_fd()).into_bytes();
    if let Some(name) = name {
        path.push(b'/');
        path.extend_from_slice(name.to_bytes());
    }
    path
}

/// Whether entries can be reached through their descriptors.
pub(super) fn has_proc() -> bool {
    rustix::fs::stat("/proc/self/fd").is_ok()
}

/// Where attributes are read from.
pub(super) enum Place<'a> {
    /// A path, which must stay valid meanwhile: keep the descriptor that it goes through.
    Path {
        /// Path of the entry.
        path: Vec<u8>,
        /// It is a symbolic link to be followed.
        follow: bool,
    },
    /// A file that is open to be read.
    Open(&'a OwnedFd),
}

impl Place<'_> {
    /// Sets the attributes in the order in which the system lists them, which is the one that restic stores.
    ///
    /// All that can be read are set even where an error is returned. A file system without attributes has none.
    pub fn read(&self, attributes: &mut Vec<ExtendedAttribute>) -> Result<(), Failure> {
        attributes.clear();
        let names = match filled(|buffer| self.list(buffer)) {
            Ok(names) => names,
            Err(Errno::NOTSUP | Errno::NODATA) => return Ok(()),
            Err(error) => return Err(Failure::call("list the attributes of")(error)),
        };
        let mut first_failure = None;
        for name in names
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
        {
            match self.attribute(name) {
                Ok(Some(attribute)) => attributes.push(attribute),
                Ok(None) => {}
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// One attribute; `None` if it has vanished since it was listed.
    fn attribute(&self, name: &[u8]) -> Result<Option<ExtendedAttribute>, Failure> {
        let Ok(text) = str::from_utf8(name) else {
            return Err(Failure::changed(
                "read an attribute of",
                &format!(
                    "the name {:?} is not UTF-8 and cannot be stored",
                    String::from_utf8_lossy(name)
                ),
            ));
        };
        match filled(|buffer| self.get(name, buffer)) {
            Ok(value) => Ok(Some(ExtendedAttribute {
                name: text.to_owned(),
                value,
            })),
            Err(Errno::NOTSUP | Errno::NODATA) => Ok(None),
            Err(error) => {
                let mut failure = Failure::call("read an attribute of")(error);
                failure.message = format!("{text}: {}", failure.message);
                Err(failure)
            }
        }
    }

    fn list(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Path { path, follow: true } => listxattr(path.as_slice(), buffer),
            Self::Path { path, .. } => llistxattr(path.as_slice(), buffer),
            Self::Open(file) => flistxattr(file, buffer),
        }
    }

    fn get(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Path { path, follow: true } => getxattr(path.as_slice(), name, buffer),
            Self::Path { path, .. } => lgetxattr(path.as_slice(), name, buffer),
            Self::Open(file) => fgetxattr(file, name, buffer),
        }
    }
}

/// What a call fills a buffer with, tried with a small one first.
fn filled(call: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut usual = [0; USUAL_BYTES];
    match call(&mut usual) {
        Err(Errno::RANGE) => {
            let mut buffer = vec![0; MOST_BYTES];
            let length = call(&mut buffer)?;
            buffer.truncate(length);
            Ok(buffer)
        }
        length => Ok(usual.get(..length?).unwrap_or_default().to_vec()),
    }
}
