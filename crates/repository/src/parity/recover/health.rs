//! Which windows of a group are whole: every byte of it is read.

use futures::stream::{self, StreamExt, TryStreamExt};
use strongroom_storage::{Class, Storage};
use tokio_util::sync::CancellationToken;

use super::lane::Lane;
use crate::format::Id;
use crate::format::parity::{Checksum, ChecksumTable, ParityGroup, parity_name};
use crate::own_files::OwnFolder;
use crate::progress::{Amount, Progress};
use crate::workers::Workers;
use crate::{Error, Result};

/// Bytes of one file that are read at a time, unless one window is more.
const BATCH_BYTES: u64 = 4 << 20;

/// The windows of a group that are whole.
#[derive(Debug, Clone)]
pub(super) struct Health {
    pub table: ChecksumTable,
    /// For each member each of its windows.
    pub members: Vec<Vec<bool>>,
    /// For each part each of its windows.
    pub parts: Vec<Vec<bool>>,
    /// Parity files whose copy of the table cannot be had.
    pub damaged_tables: Vec<Id>,
}

impl Health {
    /// Reads a group. `None` where its table of checksums cannot be had from any of its parity files.
    pub async fn examine(
        storage: &dyn Storage,
        workers: &Workers,
        group: &ParityGroup,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Option<Self>> {
        let (table, damaged_tables) = read_tables(storage, group).await?;
        let Some(table) = table else {
            return Ok(None);
        };
        let mut lanes = Vec::new();
        for (at, member) in group.members.iter().enumerate() {
            lanes.push((Lane::member(member)?, table.member(at).to_vec()));
        }
        for (at, lane) in Lane::parts(group)?.into_iter().enumerate() {
            lanes.push((lane, table.part(at).to_vec()));
        }
        let at_once = storage.capabilities().connections.max(1);
        let examine = |(lane, checksums): (Lane, Vec<Checksum>)| async move {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let whole = examine(storage, workers, group, &lane, checksums).await?;
            progress.advance(Amount {
                bytes: lane.size_bytes,
                ..Amount::default()
            });
            Ok(whole)
        };
        let mut members: Vec<Vec<bool>> = stream::iter(lanes)
            .map(examine)
            .buffered(at_once)
            .try_collect()
            .await?;
        let parts = members.split_off(group.members.len().min(members.len()));
        Ok(Some(Self {
            table,
            members,
            parts,
            damaged_tables,
        }))
    }

    /// Whether a member's window is whole; one that a member does not have is known to be zeros.
    pub fn is_whole(&self, member: usize, row: usize) -> bool {
        let windows = self.members.get(member);
        windows.is_some_and(|windows| windows.get(row).copied().unwrap_or(true))
    }

    /// Whether a part's window is whole.
    pub fn is_part_whole(&self, part: usize, row: usize) -> bool {
        let windows = self.parts.get(part).and_then(|windows| windows.get(row));
        windows.copied().unwrap_or(false)
    }

    /// Whether all windows of a part are whole.
    pub fn is_whole_part(&self, part: usize) -> bool {
        let windows = self.parts.get(part);
        windows.is_some_and(|windows| windows.iter().all(|whole| *whole))
    }

    /// Whether all windows of a member are whole.
    pub fn is_member_whole(&self, member: usize) -> bool {
        let windows = self.members.get(member);
        windows.is_some_and(|windows| windows.iter().all(|whole| *whole))
    }

    /// Whether each damaged window of a member can be computed from the others: there must be as many whole windows of
    /// parts in its row as there are damaged windows of members.
    pub fn can_rebuild(&self, member: usize) -> bool {
        let windows = self.members.get(member).map_or(0, Vec::len);
        (0..windows).all(|row| {
            let damaged = (0..self.members.len()).filter(|at| !self.is_whole(*at, row));
            let parts = (0..self.parts.len()).filter(|at| self.is_part_whole(*at, row));
            self.is_whole(member, row) || damaged.count() <= parts.count()
        })
    }
}

/// The table from any parity file that has it, and the files that do not.
async fn read_tables(
    storage: &dyn Storage,
    group: &ParityGroup,
) -> Result<(Option<ChecksumTable>, Vec<Id>)> {
    let (mut table, mut damaged) = (None, Vec::new());
    for file in &group.files {
        let lane = Lane {
            path: OwnFolder::Parity.file(&parity_name(&file.id))?,
            class: Class::Data,
            base: file.parts.saturating_mul(group.part_bytes()),
            size_bytes: group.table_bytes(),
        };
        let bytes = lane.read(storage, 0, lane.size_bytes).await?;
        match bytes.map(|bytes| ChecksumTable::decode(group, &bytes)) {
            Some(Ok(found)) => table = Some(found),
            Some(Err(_)) | None => damaged.push(file.id),
        }
    }
    Ok((table, damaged))
}

/// The windows of one file or part.
async fn examine(
    storage: &dyn Storage,
    workers: &Workers,
    group: &ParityGroup,
    lane: &Lane,
    checksums: Vec<Checksum>,
) -> Result<Vec<bool>> {
    let window = u64::from(group.window_bytes).max(1);
    let at_once = usize::try_from(BATCH_BYTES / window).unwrap_or(1).max(1);
    let mut whole = Vec::with_capacity(checksums.len());
    for (batch, expected) in checksums.chunks(at_once).enumerate() {
        let row = batch.saturating_mul(at_once) as u64;
        let (begin, _) = group.window(row, lane.size_bytes);
        let length = lane.size_bytes.saturating_sub(begin);
        let length = length.min(window.saturating_mul(expected.len() as u64));
        match lane.read(storage, begin, length).await? {
            Some(bytes) => {
                let (expected, window) = (expected.to_vec(), group.window_bytes as usize);
                let compare = move || -> Vec<bool> {
                    let windows = bytes.chunks(window).zip(expected);
                    windows
                        .map(|(bytes, expected)| Checksum::of(bytes) == expected)
                        .collect()
                };
                whole.extend(workers.run(compare).await?);
            }
            // One by one: behind a bad sector, or before the end of a file that was cut off, there is more.
            None => {
                for (row, expected) in (row..).zip(expected) {
                    let (begin, length) = group.window(row, lane.size_bytes);
                    let bytes = lane.read(storage, begin, length).await?;
                    whole.push(bytes.is_some_and(|bytes| Checksum::of(&bytes) == *expected));
                }
            }
        }
    }
    Ok(whole)
}
