//! `strongroom stats`: figures of snapshots.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use clap::ValueEnum;

use crate::arguments::SnapshotFilterArguments;

/// Show how much snapshots hold and what they take
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to count, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// What to count
    #[arg(long, value_name = "MODE", default_value = "restore-size")]
    pub mode: Mode,
}

/// What to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Sizes of all files, as a restore would write them
    RestoreSize,
    /// Sizes of files, equal contents once
    FilesByContents,
    /// Sizes of blobs in files, each once
    BlobsPerFile,
    /// Sizes of blobs as they are stored, with the ratios of compression and deduplication
    RawData,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("stats"))
}
