//! Putting damaged files aside.
//!
//! A file in the quarantine is named `KIND-ID-TIME`: `pack-3f…-20261120T150405Z`. Its bytes are those of the damaged file.
//! Nothing refers to it; emptying the quarantine harms nothing but the hope that somebody makes something of it.

use jiff::Timestamp;
use strongroom_storage::WriteMode;

use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::repository::Repository;
use crate::usage::is_damage;
use crate::{Error, Result};

/// A file in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedFile {
    /// Its name there.
    pub name: String,
    /// What it was; `None` for a file that this program did not put there.
    pub kind: Option<FileKind>,
    /// The name that it had.
    pub id: Option<Id>,
    /// When it was put there.
    pub time: Option<Timestamp>,
    /// Its size.
    pub size_bytes: u64,
}

/// How the time stands in a name: in UTC, to the second.
const TIME: &str = "%Y%m%dT%H%M%SZ";

const KINDS: [FileKind; 3] = [FileKind::Pack, FileKind::Index, FileKind::Snapshot];

impl Repository {
    /// What lies in the quarantine, oldest first. Empty where the storage cannot hold one.
    pub async fn list_quarantine(&self) -> Result<Vec<QuarantinedFile>> {
        let files = self.list_own(OwnFolder::Quarantine).await?;
        let mut files: Vec<QuarantinedFile> = files
            .into_iter()
            .map(|file| parse(file.name, file.size_bytes))
            .collect();
        files.sort_by(|a, b| (a.time, &a.name).cmp(&(b.time, &b.name)));
        Ok(files)
    }

    /// Removes files from the quarantine for good. `lock` is this operation's exclusive lock.
    ///
    /// # Errors
    /// [`crate::ErrorKind::LockLost`], with none removed; the storage's, with some removed.
    pub async fn empty_quarantine(&self, files: &[QuarantinedFile], lock: &Lock) -> Result<()> {
        lock.verify().await?;
        for file in files {
            self.delete_own(OwnFolder::Quarantine, &file.name).await?;
        }
        Ok(())
    }

    /// Whether damaged files can be put aside here.
    pub(super) fn has_quarantine(&self) -> bool {
        self.require_own_folders(OwnFolder::Quarantine).is_ok()
    }

    /// Copies a file into the quarantine and compares the copy. The file itself stays. Returns the copy's name; `None` if
    /// the file cannot be read to its end, and so not be saved.
    pub(super) async fn save_damaged(
        &self,
        kind: FileKind,
        id: &Id,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let content = match self.load_raw(kind, id).await {
            Err(error) if is_damage(&error) => return Ok(None),
            content => content?,
        };
        let prefix = prefix(kind, id);
        // A repair that was interrupted has left its copy.
        for file in self.list_own(OwnFolder::Quarantine).await? {
            if file.name.starts_with(&prefix)
                && file.size_bytes == content.len() as u64
                && self.read_own(OwnFolder::Quarantine, &file.name).await? == content
            {
                return Ok(Some(file.name));
            }
        }
        let name = quarantine_name(kind.noun(), id, now);
        self.write_own(
            OwnFolder::Quarantine,
            &name,
            content.clone(),
            WriteMode::Replace,
        )
        .await?;
        let copy = self
            .read_own(OwnFolder::Quarantine, &name)
            .await
            .context(|| "read back what was put into the quarantine")?;
        if copy != content {
            return Err(Error::damaged(format!(
                "{name} of the quarantine is not what was written; nothing was removed"
            )));
        }
        Ok(Some(name))
    }
}

/// The name of a file that was called `noun` and `id`.
pub(crate) fn quarantine_name(noun: &str, id: &Id, now: Timestamp) -> String {
    format!("{noun}-{id}-{}", now.strftime(TIME))
}

fn prefix(kind: FileKind, id: &Id) -> String {
    format!("{}-{id}-", kind.noun())
}

fn parse(name: String, size_bytes: u64) -> QuarantinedFile {
    let mut parts = name.splitn(3, '-');
    let kind = parts.next().and_then(|noun| {
        let mut kinds = KINDS.into_iter();
        kinds.find(|kind| kind.noun() == noun)
    });
    let id = parts.next().and_then(|id| id.parse().ok());
    let time = parts.next().and_then(|time| {
        let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    });
    QuarantinedFile {
        name,
        kind,
        id,
        time,
        size_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKind, Id, parse, prefix};

    #[test]
    fn a_name_tells_what_and_when() {
        let id = Id::of(b"x");
        let name = format!("{}20261120T150405Z", prefix(FileKind::Snapshot, &id));
        let file = parse(name.clone(), 7);
        assert_eq!((file.kind, file.id), (Some(FileKind::Snapshot), Some(id)));
        assert_eq!(file.time, "2026-11-20T15:04:05Z".parse().ok());
        assert_eq!((file.name, file.size_bytes), (name, 7));
        assert_eq!(parse("something".into(), 0).kind, None);
    }
}
