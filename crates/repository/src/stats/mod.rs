//! How much is in snapshots, counted in restic's four ways.

mod contents;
mod raw;
mod restore_size;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::format::Id;
use crate::index::Index;
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatsMode {
    /// What a restore of each snapshot would write: entries, and bytes of files, hard links once.
    #[default]
    RestoreSize,
    /// Files of different contents.
    FilesByContents,
    /// The blobs of files of different contents, once for each path.
    BlobsPerFile,
    /// The blobs in the repository that the snapshots use, as they are stored.
    RawData,
}

/// The figures. What a mode does not count is zero or `None`. Sizes are bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Snapshots that were gone through.
    pub snapshots_count: u64,
    /// What the mode counts.
    pub total_size_bytes: u64,
    /// Entries; in the modes by contents, files.
    pub total_file_count: u64,
    /// Blobs; in [`StatsMode::BlobsPerFile`], uses of blobs.
    pub total_blob_count: u64,
    /// Size in the repository if nothing were compressed; format version 2 only.
    pub total_uncompressed_size_bytes: u64,
    /// By how much the blobs that are compressed were larger before; from 1.
    pub compression_ratio: Option<f64>,
    /// Per cent of the data that is compressed.
    pub compression_progress: Option<f64>,
    /// Per cent that compression saves.
    pub compression_space_saving: Option<f64>,
    /// Bytes of all files in all snapshots for each byte of content that is stored for them, before compression.
    pub deduplication_ratio: Option<f64>,
}

/// Counts. Damage is told to `progress` ([`Progress::entry_error`]) and is missing in the figures.
///
/// # Errors
/// [`crate::ErrorKind::Cancelled`], or the storage's.
pub async fn stats(
    repository: &Repository,
    index: &Arc<Index>,
    snapshots: &[SnapshotFile],
    mode: StatsMode,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Stats> {
    progress.begin(Phase::ReadTrees);
    let trees: Vec<Id> = snapshots.iter().map(|file| file.snapshot.tree).collect();
    let scan = Scan {
        repository,
        index,
        trees: &trees,
        progress,
        cancel,
    };
    let mut stats = match mode {
        StatsMode::RestoreSize => scan.restore_size().await?,
        StatsMode::FilesByContents => scan.files_by_contents().await?,
        StatsMode::BlobsPerFile => scan.blobs_per_file().await?,
        StatsMode::RawData => scan.raw_data().await?,
    };
    stats.snapshots_count = snapshots.len() as u64;
    Ok(stats)
}

/// What every way of counting needs.
struct Scan<'a> {
    repository: &'a Repository,
    index: &'a Arc<Index>,
    trees: &'a [Id],
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
}

impl Scan<'_> {
    fn damaged(&self, path: &[u8], error: &dyn std::fmt::Display) {
        self.progress.entry_error(path, "stats", &error.to_string());
    }
}
