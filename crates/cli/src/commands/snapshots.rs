//! `strongroom snapshots`: what is there.

use clap::Args;

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// List snapshots
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to list, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Only the last N snapshots of each host and paths
    #[arg(long, value_name = "N")]
    pub latest: Option<usize>,

    /// One line a snapshot, without its paths
    #[arg(short, long)]
    pub compact: bool,

    /// Group by host, paths, tags
    #[arg(short, long, value_name = "GROUP")]
    pub group_by: Option<String>,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("snapshots"))
}
