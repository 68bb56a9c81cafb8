//! Targets for what servers say.

use strongroom_storage::webdav::multistatus;

/// Every entry of a listing has a place on the server.
pub(super) fn webdav_listing(input: &[u8]) {
    let Ok(entries) = multistatus::parse(input) else {
        return;
    };
    assert!(entries.iter().all(|entry| entry.path.starts_with(b"/")));
}
