//! `strongroom copy`: snapshots into another repository.

use clap::Args;

use crate::arguments::{FromArguments, SnapshotFilterArguments};
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Copy snapshots from another repository into this one
///
/// What is in this repository already is not sent again, nor is a snapshot that was copied before.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to copy, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Show what would be copied, and copy nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub from: FromArguments,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("copy"))
}
