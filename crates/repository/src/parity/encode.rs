//! Making the parity of one group.
//!
//! The members are read side by side, a few windows of each at a time, each once. What is read is hashed on the way: a
//! group is made of whole files only, or what it brought back later would be the damage.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _,
};
use sha2::{Digest, Sha256};
use strongroom_storage::{ByteRange, ErrorKind as StorageKind, Storage};
use tokio_util::sync::CancellationToken;

use super::arrange::{self, is_small};
use super::code;
use crate::error::Context;
use crate::format::Id;
use crate::format::parity::{
    BLOCK_BYTES, Checksum, ChecksumTable, ParityFile, ParityGroup, ParityMember,
};
use crate::progress::{Amount, Progress};
use crate::usage::is_bad_file;
use crate::workers::Workers;
use crate::{Error, Result};

/// Bytes that are checked and brought back by themselves.
pub(super) const WINDOW_BYTES: u32 = 256 << 10;

/// Bytes of all members of a group that are read at a time, unless one window of each is more.
const BATCH_BYTES: u64 = 32 << 20;

/// A group that can be stored.
pub(super) struct Encoded {
    pub group: ParityGroup,
    /// In the order of the descriptor.
    pub files: Vec<Bytes>,
}

/// What became of it.
pub(super) enum Encoding {
    /// The group.
    Whole(Encoded),
    /// These members are not what their names say, with the reasons; no group is made of them.
    Damaged(Vec<(ParityMember, &'static str)>),
}

/// One member on the way.
struct Lane {
    member: ParityMember,
    hash: Sha256,
    checksums: Vec<Checksum>,
}

struct Work {
    lanes: Vec<Lane>,
    parts: Vec<Vec<u8>>,
}

/// Reads the members and computes their parity.
pub(super) async fn encode(
    storage: &dyn Storage,
    workers: &Workers,
    members: &[ParityMember],
    percent: u8,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Encoding> {
    let longest = members.iter().map(|member| member.size_bytes).max();
    let longest = longest.unwrap_or(0);
    let part_bytes = longest.next_multiple_of(BLOCK_BYTES);
    let parts = arrange::parts(members.len(), longest, percent);
    let lane = |member: &ParityMember| Lane {
        member: *member,
        hash: Sha256::new(),
        checksums: Vec::new(),
    };
    let mut work = Work {
        lanes: members.iter().map(lane).collect(),
        parts: vec![Vec::new(); parts],
    };
    let batch_bytes = batch_bytes(members.len());
    let mut begin = 0;
    while begin < part_bytes {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let length = batch_bytes.min(part_bytes - begin);
        let read = match read_batch(storage, members, begin, length).await? {
            Ok(read) => read,
            Err(damaged) => return Ok(Encoding::Damaged(vec![damaged])),
        };
        let bytes = read.iter().map(|bytes| bytes.len() as u64).sum();
        work = workers.run(move || work.absorb(&read, length)).await??;
        progress.advance(Amount {
            bytes,
            ..Amount::default()
        });
        begin = begin.saturating_add(length);
    }
    workers.run(move || work.finish(percent)).await?
}

/// A multiple of the window.
fn batch_bytes(members: usize) -> u64 {
    let window = u64::from(WINDOW_BYTES);
    let windows = BATCH_BYTES / window.saturating_mul(members as u64).max(1);
    windows.max(1).saturating_mul(window)
}

type Batch = std::result::Result<Vec<Bytes>, (ParityMember, &'static str)>;

/// The same range of every member, as far as each reaches.
async fn read_batch(
    storage: &dyn Storage,
    members: &[ParityMember],
    begin: u64,
    length: u64,
) -> Result<Batch> {
    let at_once = storage.capabilities().connections.max(1);
    let read = |member: ParityMember| async move {
        let rest = member.size_bytes.saturating_sub(begin).min(length);
        if rest == 0 {
            return Ok(Ok(Bytes::new()));
        }
        let range = ByteRange {
            offset: begin,
            length: rest,
        };
        let path = member.kind.path(&member.id)?;
        match storage.read(&path, Some(range), member.kind.class()).await {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(error) => match error.kind {
                StorageKind::NotFound => Ok(Err((member, "it is gone"))),
                StorageKind::RangeOutside => Ok(Err((member, "it is too short"))),
                _ if is_bad_file(&error) => Ok(Err((member, "it cannot be read"))),
                _ => Err(Error::from(error)),
            },
        }
    };
    let read: Vec<_> = stream::iter(members.iter().copied())
        .map(read)
        .buffered(at_once)
        .try_collect()
        .await
        .context(|| "read for parity")?;
    Ok(read.into_iter().collect())
}

impl Work {
    /// Takes the next bytes of every member.
    fn absorb(mut self, read: &[Bytes], length: u64) -> Result<Self> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let filled: Vec<Bytes> = self
            .lanes
            .par_iter_mut()
            .zip(read)
            .map(|(lane, bytes)| {
                lane.hash.update(bytes);
                let windows = bytes.chunks(WINDOW_BYTES as usize);
                lane.checksums.extend(windows.map(Checksum::of));
                filled(bytes, length)
            })
            .collect();
        let encoded = code::encode(&filled, self.parts.len(), length)?;
        for (part, more) in self.parts.iter_mut().zip(encoded) {
            part.extend_from_slice(&more);
        }
        Ok(self)
    }

    fn finish(self, percent: u8) -> Result<Encoding> {
        let mut damaged = Vec::new();
        let (mut members, mut checksums) = (Vec::new(), Vec::new());
        for lane in self.lanes {
            if Id::from_bytes(lane.hash.finalize().into()) != lane.member.id {
                damaged.push((lane.member, "its content does not match its name"));
            }
            members.push(ParityMember {
                removed: false,
                ..lane.member
            });
            checksums.push(lane.checksums);
        }
        if !damaged.is_empty() {
            return Ok(Encoding::Damaged(damaged));
        }
        let of_parts = self.parts.iter().map(|part| {
            let windows = part.chunks(WINDOW_BYTES as usize);
            windows.map(Checksum::of).collect()
        });
        let table = ChecksumTable::new(checksums, of_parts.collect()).encode();
        let longest = members.iter().map(|member| member.size_bytes).max();
        let in_one_file = match is_small(longest.unwrap_or(0)) {
            true => self.parts.len(),
            false => 1,
        };
        let mut files = Vec::new();
        let mut parts = self.parts.into_iter();
        while let Some(mut file) = parts.next() {
            // Taken over and not copied: parts are most of what is in memory.
            for part in parts.by_ref().take(in_one_file.saturating_sub(1)) {
                file.extend_from_slice(&part);
            }
            file.extend_from_slice(&table);
            files.push((in_one_file as u64, Bytes::from(file)));
        }
        let group = ParityGroup {
            percent,
            window_bytes: WINDOW_BYTES,
            members,
            files: files
                .iter()
                .map(|(parts, file)| ParityFile {
                    id: Id::of(file),
                    parts: *parts,
                })
                .collect(),
            table: Id::of(&table),
        };
        Ok(Encoding::Whole(Encoded {
            group,
            files: files.into_iter().map(|(_, file)| file).collect(),
        }))
    }
}

/// The bytes, with zeros behind.
fn filled(bytes: &Bytes, length: usize) -> Bytes {
    if bytes.len() == length {
        return bytes.clone();
    }
    let mut filled = bytes.to_vec();
    filled.resize(length, 0);
    Bytes::from(filled)
}

/// The length of the parity of a group that would be made of these members.
pub(super) fn parity_bytes(members: &[ParityMember], percent: u8) -> u64 {
    let longest = members.iter().map(|member| member.size_bytes).max();
    let longest = longest.unwrap_or(0);
    let parts = arrange::parts(members.len(), longest, percent);
    let files = if is_small(longest) { 1 } else { parts };
    let file = |at: usize| ParityFile {
        id: Id::of(&at.to_le_bytes()),
        parts: (parts / files.max(1)) as u64,
    };
    let group = ParityGroup {
        percent,
        window_bytes: WINDOW_BYTES,
        members: members.to_vec(),
        files: (0..files).map(file).collect(),
        table: Id::of(b""),
    };
    group.parity_bytes()
}
