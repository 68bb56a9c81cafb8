//! Copying ranges of one open file into another.

use std::ops::Range;
use std::os::fd::AsFd;

use rustix::io::{Errno, Result};

/// Copies a range to the same offset of another file; file systems that can share the blocks do so.
///
/// A source that ends early ends the copy: what was not copied reads as zeros, and [`Errno::IO`] says so.
pub(super) fn copy_range(from: impl AsFd, to: impl AsFd, range: &Range<u64>) -> Result<()> {
    let (from, to) = (from.as_fd(), to.as_fd());
    let mut at = range.start;
    let mut by_system = true;
    while at < range.end {
        let rest = usize::try_from(range.end - at).unwrap_or(usize::MAX);
        let copied = if by_system {
            let (mut read_at, mut write_at) = (at, at);
            match rustix::fs::copy_file_range(
                from,
                Some(&mut read_at),
                to,
                Some(&mut write_at),
                rest,
            ) {
                Err(Errno::XDEV | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) | Ok(0) => {
                    by_system = false;
                    continue;
                }
                other => other,
            }
        } else {
            copy_by_hand(from, to, at, rest)
        };
        match copied {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn copy_by_hand(from: impl AsFd, to: impl AsFd, at: u64, most: usize) -> Result<usize> {
    let mut buffer = vec![0; most.min(128 * 1024)];
    let read = rustix::io::pread(from, &mut buffer, at)?;
    write_all(to, buffer.get(..read).unwrap_or_default(), at)?;
    Ok(read)
}

/// Writes all of the data at an offset.
pub(super) fn write_all(to: impl AsFd, mut data: &[u8], mut offset: u64) -> Result<()> {
    let to = to.as_fd();
    while !data.is_empty() {
        match rustix::io::pwrite(to, data, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => {
                data = data.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
