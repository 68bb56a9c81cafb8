//! Where the bytes of members and parts lie, and reading them where they may be damaged.

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class, ErrorKind as StorageKind, Storage, StoragePath};

use crate::format::parity::{self, ParityGroup, ParityMember};
use crate::own_files::OwnFolder;
use crate::usage::is_bad_file;
use crate::{Error, Result};

/// A member, or one part inside a parity file.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub path: StoragePath,
    pub class: Class,
    /// Where it begins in the file.
    pub base: u64,
    pub size_bytes: u64,
}

impl Lane {
    /// A member.
    pub fn member(member: &ParityMember) -> Result<Self> {
        Ok(Self {
            path: member.kind.path(&member.id)?,
            class: member.kind.class(),
            base: 0,
            size_bytes: member.size_bytes,
        })
    }

    /// Every part of a group, in the order of the code.
    pub fn parts(group: &ParityGroup) -> Result<Vec<Self>> {
        let mut lanes = Vec::new();
        let size_bytes = group.part_bytes();
        for file in &group.files {
            let path = OwnFolder::Parity.file(&parity::parity_name(&file.id))?;
            for part in 0..file.parts {
                lanes.push(Self {
                    path: path.clone(),
                    class: Class::Data,
                    base: part.saturating_mul(size_bytes),
                    size_bytes,
                });
            }
        }
        Ok(lanes)
    }

    /// A range of it; `None` where it is damaged or not there.
    pub async fn read(
        &self,
        storage: &dyn Storage,
        begin: u64,
        length: u64,
    ) -> Result<Option<Bytes>> {
        let range = ByteRange {
            offset: self.base.saturating_add(begin),
            length,
        };
        read(storage, &self.path, Some(range), self.class).await
    }
}

/// Bytes of a file; `None` where they cannot be had.
///
/// # Errors
/// What says nothing of the file: a connection that is lost, a right that is missing.
pub(super) async fn read(
    storage: &dyn Storage,
    path: &StoragePath,
    range: Option<ByteRange>,
    class: Class,
) -> Result<Option<Bytes>> {
    match storage.read(path, range, class).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => match error.kind {
            StorageKind::NotFound | StorageKind::RangeOutside => Ok(None),
            _ if is_bad_file(&error) => Ok(None),
            _ => Err(Error::from(error).context("read what is to be repaired")),
        },
    }
}
