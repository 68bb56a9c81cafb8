//! Makes a repository look as if years of backups lay in it, without any data: index files name blobs that were never hashed, in packs that
//! are holes of the right length, and snapshots are copies of one. Everything that reads index and listing alone (opening, backup of new
//! files, check of the structure, a plan of prune, lists) finds what it would find in a real one; no blob can be read, and none is needed
//! by a snapshot.

use std::fs::{self, File};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use strongroom_repository::format::index::{BLOBS_SUGGESTED, IndexEncoder};
use strongroom_repository::format::pack_header::{self, PackedBlob};
use strongroom_repository::format::{BlobKind, Id, Time};
use strongroom_repository::index::Index;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::LocalStorage;
use tokio::runtime::Runtime;

use crate::random::Random;
use crate::tools::PASSWORD;

/// Blobs of a pack: with 4 KiB each it has about the 16 MiB that packs are filled to.
const BLOBS_A_PACK: u64 = 4000;

/// A repository on disk that is being inflated.
pub struct Forge {
    runtime: Runtime,
    repository: Repository,
    random: Random,
}

impl Forge {
    /// Opens a repository that a tool has made; its password is [`PASSWORD`].
    pub fn open(folder: &Path, seed: u64) -> Result<Self> {
        let runtime = Runtime::new()?;
        let storage = Arc::new(LocalStorage::new(folder));
        let (password, options) = (SecretString::from(PASSWORD), OpenOptions::default());
        let repository = runtime
            .block_on(Repository::open(storage, &password, &options))
            .with_context(|| format!("open {}", folder.display()))?;
        Ok(Self {
            runtime,
            repository,
            random: Random::of_part(seed, 0xF0E6, 0),
        })
    }

    /// Copies the newest snapshot so often, each an hour older than the one before.
    pub fn add_snapshots(&mut self, count: u32) -> Result<()> {
        self.runtime.block_on(async {
            let mut newest = None;
            for file in self.repository.list(FileKind::Snapshot).await? {
                let snapshot = self.repository.load_snapshot(&file.id).await?;
                if newest
                    .as_ref()
                    .is_none_or(|other: &strongroom_repository::format::Snapshot| {
                        other.time.instant() < snapshot.time.instant()
                    })
                {
                    newest = Some(snapshot);
                }
            }
            let mut snapshot = newest.context("the repository has no snapshot to copy")?;
            let mut time: Timestamp = snapshot.time.instant();
            for _ in 0..count {
                time = time.checked_sub(SignedDuration::from_hours(1))?;
                snapshot.time = Time::utc(time);
                self.repository
                    .save_file(FileKind::Snapshot, snapshot.encode())
                    .await?;
            }
            Ok(())
        })
    }

    /// Adds so many blobs of about 4 KiB, half as large as before compression, in packs and index files.
    pub fn add_blobs(&mut self, folder: &Path, count: u64) -> Result<()> {
        let mut rest = count;
        while rest > 0 {
            let mut index = IndexEncoder::new();
            let in_file = rest.min(BLOBS_SUGGESTED as u64);
            let mut done = 0;
            while done < in_file {
                let in_pack = BLOBS_A_PACK.min(in_file - done);
                let blobs = self.blobs(in_pack);
                let pack = self.id();
                index.pack(&pack, &blobs);
                write_hole(folder, &pack, length(&blobs))?;
                done += in_pack;
            }
            self.runtime
                .block_on(self.repository.save_file(FileKind::Index, index.finish()))?;
            rest -= in_file;
        }
        Ok(())
    }

    /// What our engine makes of the index files.
    pub fn index(&self) -> Result<Index> {
        Ok(self.runtime.block_on(self.repository.load_index(&Silent))?)
    }

    fn blobs(&mut self, count: u64) -> Vec<PackedBlob> {
        let mut offset = 0;
        let mut blobs = Vec::new();
        for _ in 0..count {
            let length = 3000 + self.random.below(2200) as u32;
            let uncompressed_length = NonZeroU32::new(2 * length);
            blobs.push(PackedBlob {
                kind: BlobKind::Data,
                id: self.id(),
                offset,
                length,
                uncompressed_length,
            });
            offset += length;
        }
        blobs
    }

    fn id(&mut self) -> Id {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        Id::from_bytes(bytes)
    }
}

/// Bytes of a pack with these blobs.
fn length(blobs: &[PackedBlob]) -> u64 {
    let content: u64 = blobs.iter().map(|blob| u64::from(blob.length)).sum();
    let entries: u64 = blobs
        .iter()
        .map(|blob| u64::from(blob.header_entry_length()))
        .sum();
    content + pack_header::overhead(entries)
}

fn write_hole(folder: &Path, pack: &Id, length: u64) -> Result<()> {
    let name = pack.to_hex();
    let folder = folder.join("data").join(&name[..2]);
    fs::create_dir_all(&folder)?;
    Ok(File::create(folder.join(name))?.set_len(length)?)
}
