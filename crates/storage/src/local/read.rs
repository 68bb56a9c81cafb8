//! Reading a file or a range of it.

use std::fs::{File, Metadata, OpenOptions};
use std::path::Path;

use bytes::Bytes;

use super::failure::Failure;
use crate::{Buffers, ByteRange, ErrorKind};

/// The size of the regular file, following links.
pub(super) fn size(path: &Path) -> Result<u64, Failure> {
    let meta = std::fs::metadata(path).map_err(absent)?;
    regular(&meta)
}

/// Reads as long as this, and longer ones, go into memory that is used again: fresh memory of this size comes page by page,
/// which takes longer than filling it.
const REUSE_BYTES_MIN: usize = 128 << 10;

/// Memory for long reads grows by steps of this size, so that what held one pack can hold the next.
const STEP_BYTES: usize = 2 << 20;

/// Long reads whose memory is kept: as many as are useful at once, of packs of the usual size.
const KEPT_READS: usize = 4;
const KEPT_BYTES: usize = 20 << 20;

/// Memory for the long reads of one storage.
pub(crate) fn memory() -> Buffers {
    Buffers::new(KEPT_READS, KEPT_BYTES)
}

/// The range, or the whole file. Allocates once at most, and never more than the file has but for a rest of
/// [`STEP_BYTES`].
pub(crate) fn read(
    path: &Path,
    range: Option<ByteRange>,
    memory: &Buffers,
) -> Result<Bytes, Failure> {
    let file = open(path).map_err(absent)?;
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
    if length < REUSE_BYTES_MIN {
        let mut data = vec![0; length];
        fill(&file, range.offset, &mut data)?;
        return Ok(Bytes::from(data));
    }
    let mut buffer = memory.take();
    if buffer.capacity() < length {
        // What the last user left need not be copied.
        buffer.clear();
        buffer
            .try_reserve_exact(length.next_multiple_of(STEP_BYTES))
            .map_err(|e| Failure::new(ErrorKind::Io, e.to_string()))?;
    }
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let (data, _) = buffer.split_at_mut(length);
    fill(&file, range.offset, data)?;
    Ok(Bytes::from_owner(buffer).slice(..length))
}

fn fill(file: &File, offset: u64, data: &mut [u8]) -> Result<(), Failure> {
    read_exact_at(file, offset, data).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Failure::new(
            ErrorKind::RangeOutside,
            format!(
                "the file became shorter while {} bytes of it were read",
                data.len()
            ),
        ),
        _ => error.into(),
    })
}

/// Fills the buffer from this place of the file.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// The same.
#[cfg(windows)]
pub(crate) fn read_exact_at(
    file: &File,
    mut offset: u64,
    mut buffer: &mut [u8],
) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset = offset.saturating_add(count as u64);
            }
        }
    }
    Ok(())
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
