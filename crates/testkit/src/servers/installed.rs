//! Programs that `scripts/install-test-servers` has put in place.

use std::path::PathBuf;

/// A file of those, below the cache of this user.
///
/// # Panics
/// Where it is not there.
pub(super) fn installed(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = cache.or_else(home).expect("a home folder");
    let path = cache.join("strongroom-tests").join(name);
    assert!(
        path.is_file(),
        "{} is missing: run scripts/install-test-servers",
        path.display()
    );
    path
}
