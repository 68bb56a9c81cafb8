//! `strongroom ls`: the files of a snapshot.

use std::ffi::OsString;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use clap::ValueEnum;

use crate::arguments::SnapshotFilterArguments;

/// List the files of a snapshot
///
/// Without directories, everything in the snapshot; with them, what lies directly in them, or with --recursive below them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: OsString,

    /// Absolute paths of directories in the snapshot
    #[arg(value_name = "DIRECTORY")]
    pub directories: Vec<OsString>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Show mode, owner, size and time
    #[arg(short, long)]
    pub long: bool,

    /// Show sizes in KiB, MiB, …
    #[arg(long)]
    pub human_readable: bool,

    /// Include everything below the directories
    #[arg(long)]
    pub recursive: bool,

    /// Sort by
    #[arg(short, long, value_name = "KEY", default_value = "name")]
    pub sort: SortKey,

    /// Sort the other way round
    #[arg(long)]
    pub reverse: bool,

    /// Print what `ncdu -f -` reads
    #[arg(long, conflicts_with_all = ["json", "sort", "reverse"])]
    pub ncdu: bool,
}

/// What a listing is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SortKey {
    Name,
    Size,
    #[value(alias = "mtime")]
    Time,
    Atime,
    Ctime,
    Extension,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("ls"))
}
