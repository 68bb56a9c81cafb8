//! Extended attributes, ACLs among them.
//!
//! They are read through `/proc/self/fd/N/NAME`, where `N` is the open directory: that works for every kind of entry
//! without opening it (a fifo would block, a device might act), cannot get too long, and follows no symbolic link.
//! Where `/proc` is not mounted they are read by the whole path, which the system limits to 4,096 bytes.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{getxattr, lgetxattr, listxattr, llistxattr};
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

/// Where attributes are read from. The path must stay valid meanwhile: keep the descriptor that it goes through.
pub(super) struct Place {
    /// Path of the entry.
    pub path: Vec<u8>,
    /// It is a symbolic link to be followed.
    pub follow: bool,
}

impl Place {
    /// Sets the attributes in the order in which the system lists them, which is the one that restic stores.
    ///
    /// All that can be read are set even where an error is returned. A file system without attributes has none.
    pub fn read(&self, attributes: &mut Vec<ExtendedAttribute>) -> Result<(), Failure> {
        attributes.clear();
        let names = match self.filled(|path, follow, buffer| match follow {
            true => listxattr(path, buffer),
            false => llistxattr(path, buffer),
        }) {
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
        match self.filled(|path, follow, buffer| match follow {
            true => getxattr(path, name, buffer),
            false => lgetxattr(path, name, buffer),
        }) {
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

    /// What a call fills a buffer with, tried with a small one first.
    fn filled(
        &self,
        call: impl Fn(&[u8], bool, &mut [u8]) -> Result<usize, Errno>,
    ) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; USUAL_BYTES];
        let length = match call(&self.path, self.follow, &mut buffer) {
            Err(Errno::RANGE) => {
                buffer = vec![0; MOST_BYTES];
                call(&self.path, self.follow, &mut buffer)?
            }
            length => length?,
        };
        buffer.truncate(length);
        Ok(buffer)
    }
}
