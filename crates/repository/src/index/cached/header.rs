//! The header of a cached index.

use super::super::IndexFileContent;
use super::super::table::Record;
use super::{BLOCK_RECORDS, OVERHEAD};
use crate::format::{BlobKind, Id};

/// Bytes of a MAC.
pub(super) const TAG: usize = 16;

/// What a cached index holds, and where.
#[derive(Debug, Default)]
pub(in crate::index) struct Header {
    /// The index files that it was made of, with what each describes.
    pub files: Vec<IndexFileContent>,
    /// The packs that records name by their number.
    pub packs: Vec<Id>,
    /// For each pack where its last record ends.
    pub pack_ends: Vec<u32>,
    pub data: Blocks,
    pub trees: Blocks,
}

/// The records of one kind.
#[derive(Debug, Default)]
pub(in crate::index) struct Blocks {
    /// How many records there are. All blocks but the last are full.
    pub records: usize,
    /// For each block the prefix of its first identifier.
    pub firsts: Vec<u64>,
    /// For each block its last bytes, which are its MAC.
    pub tags: Vec<[u8; TAG]>,
}

impl Blocks {
    /// Records of a block.
    pub fn length_of(&self, block: usize) -> usize {
        let before = block.saturating_mul(BLOCK_RECORDS);
        self.records.saturating_sub(before).min(BLOCK_RECORDS)
    }

    /// Bytes of the first so many blocks in the file, each of which but the last is full.
    pub fn bytes_before(&self, block: usize) -> u64 {
        let records = block.saturating_mul(BLOCK_RECORDS).min(self.records);
        let blocks = block.min(self.firsts.len());
        let content = (records as u64).saturating_mul(Record::LENGTH as u64);
        content.saturating_add((blocks as u64).saturating_mul(OVERHEAD as u64))
    }

    /// Bytes of all blocks in the file.
    pub fn bytes(&self) -> u64 {
        self.bytes_before(usize::MAX)
    }
}

impl Header {
    /// How many records there are, of both kinds.
    pub fn records(&self) -> usize {
        self.data.records.saturating_add(self.trees.records)
    }

    pub fn blocks(&self, kind: BlobKind) -> &Blocks {
        match kind {
            BlobKind::Data => &self.data,
            BlobKind::Tree => &self.trees,
        }
    }

    /// The bytes that are sealed; the repository comes first, to refuse those of another one.
    pub fn encode(&self, repository: &Id) -> Vec<u8> {
        let mut out = repository.as_bytes().to_vec();
        push_length(&mut out, self.files.len());
        for file in &self.files {
            out.extend_from_slice(file.id.as_bytes());
            push_length(&mut out, file.packs.len());
            for pack in &file.packs {
                out.extend_from_slice(&pack.to_le_bytes());
            }
        }
        push_length(&mut out, self.packs.len());
        for (pack, end) in self.packs.iter().zip(&self.pack_ends) {
            out.extend_from_slice(pack.as_bytes());
            out.extend_from_slice(&end.to_le_bytes());
        }
        for blocks in [&self.data, &self.trees] {
            push_length(&mut out, blocks.records);
            for (first, tag) in blocks.firsts.iter().zip(&blocks.tags) {
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(tag);
            }
        }
        out
    }

    /// `None` where the bytes are no header of this repository. They were sealed by us; they are not believed for that.
    pub fn decode(bytes: &[u8], repository: &Id) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.id()? != *repository {
            return None;
        }
        let mut header = Self::default();
        for _ in 0..rest.length(Id::LENGTH)? {
            let id = rest.id()?;
            let count = rest.length(4)?;
            let packs = (0..count).map(|_| rest.array().map(u32::from_le_bytes));
            let packs = packs.collect::<Option<Vec<u32>>>()?;
            header.files.push(IndexFileContent { id, packs });
        }
        for _ in 0..rest.length(Id::LENGTH + 4)? {
            header.packs.push(rest.id()?);
            header.pack_ends.push(u32::from_le_bytes(rest.array()?));
        }
        for blocks in [&mut header.data, &mut header.trees] {
            blocks.records = usize::try_from(u64::from_le_bytes(rest.array()?)).ok()?;
            let count = blocks.records.div_ceil(BLOCK_RECORDS);
            if count > rest.0.len() / (8 + TAG) {
                return None;
            }
            for _ in 0..count {
                blocks.firsts.push(u64::from_le_bytes(rest.array()?));
                blocks.tags.push(rest.array()?);
            }
        }
        let is_known = |pack: &u32| (*pack as usize) < header.packs.len();
        let are_known = header
            .files
            .iter()
            .all(|file| file.packs.iter().all(is_known));
        (rest.0.is_empty() && are_known).then_some(header)
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn id(&mut self) -> Option<Id> {
        self.array().map(Id::from_bytes)
    }

    /// A number of things of so many bytes at least, which must fit into what is left.
    fn length(&mut self, bytes_each: usize) -> Option<usize> {
        let length = usize::try_from(u64::from_le_bytes(self.array()?)).ok()?;
        (length <= self.0.len() / bytes_each).then_some(length)
    }
}
