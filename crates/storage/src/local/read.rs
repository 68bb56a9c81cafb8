//! Reading a file or a range of it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;

use super::failure::Failure;
use crate::{ByteRange, ErrorKind};

/// The size of the regular file, following links.
pub(super) fn size(path: &Path) -> Result<u64, Failure> {
    let meta = std::fs::metadata(path).map_err(absent)?;
    regular(&meta)
}

/// The range, or the whole file. Allocates once, and never more than the file has.
pub(crate) fn read(path: &Path, range: Option<ByteRange>) -> Result<Bytes, Failure> {
    let mut file = open(path).map_err(absent)?;
    let size = regular(&file.metadata()?)?;
    let range = range.unwrap_or(ByteRange {
        offset: 0,
        length: size,
    });
    range
        .check(size)
        .map_err(|message| Failure::new(ErrorKind::RangeOutside, message))?;

    let length = usize::try_from(range.length).map_err(|_| {
        Failure::new(
            ErrorKind::Unsupported,
            "more bytes than this machine can address",
        )
    })?;
    let mut data = Vec::new();
    data.try_reserve_exact(length)
        .map_err(|e| Failure::new(ErrorKind::Io, e.to_string()))?;
    if range.offset > 0 {
        file.seek(SeekFrom::Start(range.offset))?;
    }
    file.take(range.length).read_to_end(&mut data)?;
    if data.len() != length {
        return Err(Failure::new(
            ErrorKind::RangeOutside,
            format!(
                "the file became shorter while it was read: {} of {length} bytes",
                data.len()
            ),
        ));
    }
    Ok(Bytes::from(data))
}

/// A named pipe at the place of a file must not hang us, so the open does not block; for a file it changes nothing.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    options.open(path)
}

fn regular(meta: &Metadata) -> Result<u64, Failure> {
    if meta.is_file() {
        Ok(meta.len())
    } else {
        Err(Failure::new(ErrorKind::NotFound, "not a regular file"))
    }
}

/// Where a part of the way is a file, or a name is too long for this file system, the file is simply not there.
pub(super) fn absent(error: std::io::Error) -> Failure {
    use std::io::ErrorKind::{InvalidFilename, NotADirectory};
    let missing = matches!(error.kind(), NotADirectory | InvalidFilename);
    if missing {
        Failure::new(ErrorKind::NotFound, error.to_string())
    } else {
        error.into()
    }
}
