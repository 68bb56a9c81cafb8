//! Putting snapshots into the trash.

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_storage::WriteMode;

use super::{TrashEntry, Witnesses};
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::forget::Duration;
use crate::format::{Id, Time, TrashRecord};
use crate::own_files::OwnFolder;
use crate::repository::{Repository, SnapshotFile};
use crate::{Error, ErrorKind, Result};

/// For how long snapshots that are forgotten together stay in the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashTimes {
    /// Now, by the clock of this machine.
    pub forgotten_at: Timestamp,
    /// From when on they are kept: the latest time that is known. A clock that runs behind must not shorten the time.
    pub counted_from: Timestamp,
    /// Until when they are kept.
    pub kept_until: Timestamp,
}

impl TrashTimes {
    /// `keep_for` from now on, or from the latest time that the repository knows of if that is later.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for no time at all, or one past the year 9999.
    pub fn new(
        snapshots: &[SnapshotFile],
        trash: &[TrashEntry],
        keep_for: Duration,
        now: Timestamp,
    ) -> Result<Self> {
        let invalid = |why: &str| Err(Error::new(ErrorKind::Invalid, why));
        if keep_for.is_zero() {
            return invalid("to keep snapshots in the trash for no time is to remove them");
        }
        let newest = Witnesses::new(snapshots, trash).newest();
        let counted_from = newest.map_or(now, |newest| newest.max(now));
        match keep_for.after(counted_from) {
            None => invalid("that is longer than anything can be kept"),
            Some(kept_until) => Ok(Self {
                forgotten_at: now,
                counted_from,
                kept_until,
            }),
        }
    }
}

impl Repository {
    /// Makes sure that a snapshot is in the trash until then: written, and read back. One that is there for longer stays
    /// as it is. The snapshot itself is not touched.
    pub(crate) async fn keep_in_trash(&self, id: &Id, times: &TrashTimes) -> Result<()> {
        let stored = self.load_raw(FileKind::Snapshot, id).await?;
        let doing = || format!("put snapshot {} into the trash", id.short());
        if Id::of(&stored) != *id {
            return Err(Error::damaged("the content does not match the name")).context(doing);
        }
        match self.load_trash_entry(id).await {
            Ok(entry) if entry.record.kept_until.instant() >= times.kept_until => return Ok(()),
            _ => {}
        }
        let record = TrashRecord {
            snapshot: *id,
            stored: stored.to_vec(),
            forgotten_at: Time::utc(times.forgotten_at),
            counted_from: Time::utc(times.counted_from),
            kept_until: Time::utc(times.kept_until),
        };
        let this = self.clone();
        let sealed = self
            .workers()
            .run_beside(move || this.seal_own(&record.encode()))
            .await??;
        let sealed = Bytes::from(sealed);
        let name = id.to_hex();
        self.write_own(OwnFolder::Trash, &name, sealed.clone(), WriteMode::Replace)
            .await?;
        if self.read_own(OwnFolder::Trash, &name).await? != sealed {
            let what = "the storage does not have what was written; the snapshot stays";
            return Err(Error::damaged(what)).context(doing);
        }
        Ok(())
    }
}
