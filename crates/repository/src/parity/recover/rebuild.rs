//! Computing the bytes of members anew.

use bytes::Bytes;
use strongroom_storage::Storage;
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::lane::Lane;
use crate::format::Id;
use crate::format::parity::{BLOCK_BYTES, Checksum, ParityGroup};
use crate::parity::code;
use crate::workers::Workers;
use crate::{Error, Result};

/// One group whose members are brought back.
pub(super) struct Rebuild<'a> {
    pub storage: &'a dyn Storage,
    pub workers: &'a Workers,
    pub group: &'a ParityGroup,
    pub health: &'a Health,
}

impl Rebuild<'_> {
    /// The bytes of these members, in their order; each has the hash that its name says. Holds all of them in memory.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damaged`] if what is in the storage is not what it was when the group was examined, or if the
    /// group is not what its makers said.
    pub async fn run(&self, targets: &[usize], cancel: &CancellationToken) -> Result<Vec<Bytes>> {
        let mut lanes = Vec::new();
        for member in &self.group.members {
            lanes.push(Lane::member(member)?);
        }
        let parts = Lane::parts(self.group)?;
        let mut rebuilt: Vec<Vec<u8>> = vec![Vec::new(); targets.len()];
        for row in 0..self.group.rows() {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let at = usize::try_from(row).unwrap_or(usize::MAX);
            let mut decoded = Vec::new();
            if targets
                .iter()
                .any(|target| !self.health.is_whole(*target, at))
            {
                decoded = self.decode_row(row, at, &lanes, &parts).await?;
            }
            for (target, bytes) in targets.iter().zip(&mut rebuilt) {
                let Some(lane) = lanes.get(*target) else {
                    continue;
                };
                let (_, length) = self.group.window(row, lane.size_bytes);
                let computed = decoded.iter().find(|(member, _)| member == target);
                match computed {
                    Some((_, window)) => {
                        let length = usize::try_from(length).unwrap_or(usize::MAX);
                        bytes.extend_from_slice(window.get(..length).unwrap_or(window));
                    }
                    None if length > 0 => {
                        let expected = self.health.table.member(*target).get(at);
                        let window = self.read(lane, row, expected).await?;
                        bytes.extend_from_slice(&window);
                    }
                    None => {}
                }
            }
        }
        self.verified(targets, rebuilt).await
    }

    /// The damaged windows of a row, each with its member.
    async fn decode_row(
        &self,
        row: u64,
        at: usize,
        lanes: &[Lane],
        parts: &[Lane],
    ) -> Result<Vec<(usize, Vec<u8>)>> {
        let (_, length) = self.group.window(row, self.group.part_bytes());
        let mut members = Vec::with_capacity(lanes.len());
        let mut missing = Vec::new();
        for (member, lane) in lanes.iter().enumerate() {
            if !self.health.is_whole(member, at) {
                missing.push(member);
                members.push(None);
                continue;
            }
            let expected = self.health.table.member(member).get(at);
            let bytes = match expected {
                Some(_) => self.read(lane, row, expected).await?,
                None => Bytes::new(),
            };
            members.push(Some(filled(&bytes, length)));
        }
        let mut parity = vec![None; parts.len()];
        let usable = parity.iter_mut().zip(parts).enumerate();
        let usable = usable.filter(|(part, _)| self.health.is_part_whole(*part, at));
        for (part, (place, lane)) in usable.take(missing.len()) {
            let expected = self.health.table.part(part).get(at);
            *place = Some(filled(&self.read(lane, row, expected).await?, length));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let decode = move || code::decode(&members, &parity, length);
        let decoded = self.workers.run(decode).await??;
        Ok(missing.into_iter().zip(decoded).collect())
    }

    async fn read(&self, lane: &Lane, row: u64, expected: Option<&Checksum>) -> Result<Bytes> {
        let (begin, length) = self.group.window(row, lane.size_bytes);
        let bytes = lane.read(self.storage, begin, length).await?;
        match bytes.filter(|bytes| Some(&Checksum::of(bytes)) == expected) {
            Some(bytes) => Ok(bytes),
            None => Err(Error::damaged(format!(
                "{} has changed since it was examined",
                lane.path
            ))),
        }
    }

    async fn verified(&self, targets: &[usize], rebuilt: Vec<Vec<u8>>) -> Result<Vec<Bytes>> {
        let hash = move || -> Vec<(Id, Vec<u8>)> {
            let rebuilt = rebuilt.into_iter();
            rebuilt.map(|bytes| (Id::of(&bytes), bytes)).collect()
        };
        let hashed = self.workers.run(hash).await?;
        let mut verified = Vec::with_capacity(hashed.len());
        for (target, (id, bytes)) in targets.iter().zip(hashed) {
            let expected = self.group.members.get(*target).map(|member| member.id);
            if expected != Some(id) {
                let what = expected.map_or_else(String::new, |id| id.to_hex());
                return Err(Error::damaged(format!(
                    "parity yields other bytes than the name {what} says"
                )));
            }
            verified.push(Bytes::from(bytes));
        }
        Ok(verified)
    }
}

/// The bytes with zeros behind, up to a length that is a multiple of a block.
fn filled(bytes: &Bytes, length: u64) -> Bytes {
    debug_assert!(length.is_multiple_of(BLOCK_BYTES));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut filled = Vec::with_capacity(length);
    filled.extend_from_slice(bytes);
    filled.resize(length, 0);
    Bytes::from(filled)
}
