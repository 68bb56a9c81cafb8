//! The names under which files lie while they are written, on every kind that has folders and renaming.

use std::io;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;

const PREFIX: &str = "strongroom-";
const SUFFIX: &str = ".tmp~";

/// Age at which nobody can still be writing to a temporary file. A clock that is wrong by more costs a live
/// write its file, which then fails with an error; it never costs a stored file.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A name that no other write has, and that no [`crate::StoragePath`] can.
pub(crate) fn new() -> io::Result<String> {
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(format!("{PREFIX}{}{SUFFIX}", HEXLOWER.encode(&random)))
}

/// Whether the name is one that [`new`] gives.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether the name is one under which restic writes: `FINAL-tmp-DIGITS` in a local directory,
/// `FINAL-restic-temp-HEX` over SFTP. A directory may be used in both ways.
pub(crate) fn is_restics(name: &str) -> bool {
    let ends_in = |infix: &str, is_right: fn(u8) -> bool| {
        let end = name.rsplit_once(infix).map(|(_, end)| end);
        end.is_some_and(|end| !end.is_empty() && end.bytes().all(is_right))
    };
    ends_in("-tmp-", |b| b.is_ascii_digit()) || ends_in("-restic-temp-", |b| b.is_ascii_hexdigit())
}

/// Whether a temporary file that was last written at `modified` belongs to a write that is no more.
pub(crate) fn is_stale(modified: SystemTime, now: SystemTime) -> bool {
    now.duration_since(modified)
        .is_ok_and(|age| age >= STALE_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoragePath;

    #[test]
    fn no_file_can_have_the_name_of_a_temporary_one() {
        let name = new().unwrap();
        assert!(is_ours(&name) && StoragePath::new(name).is_err());
        for restics in ["abcd-tmp-0123", "abcd-restic-temp-0123456789abcdef"] {
            assert!(is_restics(restics), "{restics}");
        }
        for other in ["abcd-tmp-", "a-tmp-b", "a-restic-temp-", "a-restic-temp-xy"] {
            assert!(!is_restics(other), "{other}");
        }
    }

    #[test]
    fn a_temporary_file_from_the_future_is_not_stale() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert!(!is_stale(now + STALE_AFTER, now));
        assert!(!is_stale(now - STALE_AFTER / 2, now));
        assert!(is_stale(now - STALE_AFTER, now));
    }
}
