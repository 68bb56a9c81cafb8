//! `strongroom find`: files by name over many snapshots.

use clap::Args;

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Find files in snapshots
///
/// A pattern without / matches names, one with / absolute paths; * ? [a-z] and ** as in --exclude.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Patterns; with --blob, --tree or --pack beginnings of identifiers
    #[arg(value_name = "PATTERN", required = true)]
    pub patterns: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Search in this snapshot; several are alternatives
    #[arg(short, long, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,

    /// Ignore the case of names
    #[arg(short, long)]
    pub ignore_case: bool,

    /// Show mode, owner, size and time
    #[arg(short, long)]
    pub long: bool,

    /// Show sizes in KiB, MiB, …
    #[arg(long)]
    pub human_readable: bool,

    /// Only what was changed at this time or later
    #[arg(short = 'O', long, value_name = "TIME")]
    pub oldest: Option<String>,

    /// Only what was changed at this time or before
    #[arg(short = 'N', long, value_name = "TIME")]
    pub newest: Option<String>,

    /// Oldest snapshot first
    #[arg(short = 'R', long)]
    pub reverse: bool,

    /// The patterns are identifiers of data blobs
    #[arg(long, conflicts_with_all = ["tree", "pack"])]
    pub blob: bool,

    /// The patterns are identifiers of trees
    #[arg(long, conflicts_with = "pack")]
    pub tree: bool,

    /// The patterns are identifiers of packs
    #[arg(long)]
    pub pack: bool,

    /// Show the pack of each blob
    #[arg(long)]
    pub show_pack_id: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("find"))
}
