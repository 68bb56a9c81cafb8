//! How much space a restore needs, as far as that can be told before.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::format::Id;
use crate::index::Index;
use crate::restore::Basis;
use crate::restore::plan::{FileStep, PlannedEntry, pieces};

/// Files take whole blocks of this size.
const BLOCK_BYTES: u64 = 4096;
/// So many files at once are counted as new and old at the same time.
const UNFINISHED: u64 = 8;

/// The sum over the files that are written.
#[derive(Default)]
pub(super) struct Space {
    zeros: ZeroBlobs,
    growth: u64,
    /// What is there twice while a new file takes the place of an old one: in all, and for the largest file.
    twice: u64,
    twice_most: u64,
}

impl Space {
    /// Counts a file; returns the bytes that it takes from the repository.
    pub(super) fn add(&mut self, index: &Index, entry: &PlannedEntry, file: &FileStep) -> u64 {
        let (mut fetched, mut holes) = (0_u64, 0_u64);
        let mut last = None;
        for (number, (id, _, length)) in pieces(index, &entry.node).enumerate() {
            let length = length.unwrap_or(0);
            if !file.reuses(number) {
                fetched = fetched.saturating_add(length.into());
            }
            // Long runs of zeros show as one blob again and again.
            if last == Some(id) && self.zeros.contains(&id, length) {
                holes = holes.saturating_add(length.into());
            }
            last = Some(id);
        }
        let size = entry.node.size_bytes.saturating_sub(holes);
        let takes = size.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES);
        let (gives, twice) = match &file.basis {
            Basis::InPlace(old) | Basis::Leftover(old) => (old.allocated_bytes, 0),
            Basis::Copy(..) | Basis::Nothing => (file.frees_bytes, file.frees_bytes.min(takes)),
        };
        self.growth = self.growth.saturating_add(takes.saturating_sub(gives));
        self.twice = self.twice.saturating_add(twice);
        self.twice_most = self.twice_most.max(twice);
        fetched
    }

    pub(super) fn needed_bytes(&self) -> u64 {
        let unfinished = self.twice.min(self.twice_most.saturating_mul(UNFINISHED));
        self.growth.saturating_add(unfinished)
    }
}

/// The identifiers of blobs that are nothing but zeros, by their length.
#[derive(Default)]
struct ZeroBlobs(HashMap<u32, Id>);

impl ZeroBlobs {
    /// Lengths whose hash is worth computing; the chunker makes only one such length and the rest are rare.
    const LENGTHS_MAX: usize = 8;

    fn contains(&mut self, id: &Id, length: u32) -> bool {
        if let Some(known) = self.0.get(&length) {
            return known == id;
        }
        if self.0.len() >= Self::LENGTHS_MAX || length > 64 * 1024 * 1024 {
            return false;
        }
        let zeros = [0; 64 * 1024];
        let mut digest = Sha256::new();
        let mut rest = usize::try_from(length).unwrap_or(0);
        while let Some(part) = zeros
            .get(..rest.min(zeros.len()))
            .filter(|part| !part.is_empty())
        {
            digest.update(part);
            rest -= part.len();
        }
        let zero = Id::from_bytes(digest.finalize().into());
        self.0.insert(length, zero);
        zero == *id
    }
}
