//! What a directory holds.

use std::os::fd::AsFd;

use jiff::tz::TimeZone;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use strongroom_repository::format::Time;
use strongroom_repository::restore::{Existing, ExistingKind, Listing, is_partial_name};

use super::OPEN;

/// The entries of a directory, leftovers apart. An entry that vanishes meanwhile is left out.
pub(super) fn list(dir: impl AsFd) -> Result<Listing> {
    let dir = dir.as_fd();
    let open = rustix::fs::openat(dir, c".", OPEN | OFlags::DIRECTORY, Mode::empty())?;
    let mut listing = Listing::default();
    for entry in Dir::new(open)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let existing = match look(dir, name) {
            Ok(existing) => existing,
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        if is_partial_name(name) && existing.kind == ExistingKind::File {
            listing.leftovers.push(existing);
        } else {
            listing.entries.push(existing);
        }
    }
    Ok(listing)
}

pub(super) fn look(dir: impl AsFd, name: &[u8]) -> Result<Existing> {
    let stat = rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mut existing = describe(name, &stat);
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        let target = rustix::fs::readlinkat(&dir, name, Vec::new())?;
        existing.kind = ExistingKind::Symlink(target.into_bytes());
    }
    Ok(existing)
}

/// What `stat` tells of an entry; what a symbolic link points to is not known from it.
pub(super) fn describe(name: &[u8], stat: &Stat) -> Existing {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => ExistingKind::Dir,
        FileType::Symlink => ExistingKind::Symlink(Vec::new()),
        FileType::Fifo => ExistingKind::Fifo,
        FileType::Socket => ExistingKind::Socket,
        FileType::BlockDevice => ExistingKind::BlockDevice(stat.st_rdev),
        FileType::CharacterDevice => ExistingKind::CharDevice(stat.st_rdev),
        _ => ExistingKind::File,
    };
    let size = if kind == ExistingKind::File {
        stat.st_size
    } else {
        0
    };
    Existing {
        name: name.to_vec(),
        kind,
        size_bytes: u64::try_from(size).unwrap_or_default(),
        allocated_bytes: u64::try_from(stat.st_blocks)
            .unwrap_or_default()
            .saturating_mul(512),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        links: stat.st_nlink,
        file_id: (stat.st_dev, stat.st_ino),
        uid: stat.st_uid,
        mine: stat.st_uid == rustix::process::geteuid().as_raw(),
    }
}

fn time(second: i64, nanosecond: u64) -> Time {
    Time::from_unix(
        second,
        u32::try_from(nanosecond).unwrap_or_default(),
        &TimeZone::UTC,
    )
}
