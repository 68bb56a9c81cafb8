//! When snapshots arrived, by the server's own clock.
//!
//! A snapshot says itself when it was made, and whoever has a client's key can have it say anything: a thousand snapshots
//! from next year push every true one out of a retention by age (T-16). So beside each snapshot lies a receipt,
//! `strongroom/receipts/` and the snapshot's id: a JSON object with `received` (RFC 3339, UTC) and `user`. It is written
//! before the snapshot, so there is none without; the first one stays; and clients can read but not write there.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use strongroom_storage::{Class, ErrorKind, Result, Storage, StoragePath, WriteMode};

/// The folder of receipts.
pub const FOLDER: &str = "strongroom/receipts";

const SNAPSHOTS: &str = "snapshots/";

/// The receipt's place for a snapshot; `None` for any other file.
fn place(path: &StoragePath) -> Option<StoragePath> {
    let id = path.as_str().strip_prefix(SNAPSHOTS)?;
    StoragePath::new(format!("{FOLDER}/{id}")).ok()
}

/// Whether the file is one that clients do not write.
pub(crate) fn is_receipt(path: &StoragePath) -> bool {
    StoragePath::new(FOLDER).is_ok_and(|folder| *path == folder || path.is_below(&folder))
}

/// Writes down that this file, if it is a snapshot, has arrived.
pub(crate) async fn write(
    storage: &dyn Storage,
    path: &StoragePath,
    user: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let Some(place) = place(path) else {
        return Ok(());
    };
    let receipt = json!({ "received": now.to_string(), "user": user }).to_string();
    let data = Bytes::from(receipt);
    let written = storage.write(&place, data, WriteMode::New, Class::Metadata);
    match written.await {
        Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Removes the receipt of a snapshot that was removed. One that stays is no harm.
pub(crate) async fn remove(storage: &dyn Storage, path: &StoragePath) {
    if let Some(place) = place(path) {
        let _ = storage.delete(&place).await;
    }
}
