//! `strongroom tag`: tags of snapshots.

use clap::Args;

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Change the tags of snapshots
///
/// A changed snapshot gets another identifier, since that is the hash of its content.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct Arguments {
    /// Snapshots to change, or "latest" [default: all that the filters let through]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Replace all tags by these
    #[arg(long, value_name = "TAG[,TAG…]", group = "change", conflicts_with_all = ["add", "remove"])]
    pub set: Vec<String>,

    /// Add these tags
    #[arg(long, value_name = "TAG[,TAG…]", group = "change")]
    pub add: Vec<String>,

    /// Remove these tags
    #[arg(long, value_name = "TAG[,TAG…]", group = "change")]
    pub remove: Vec<String>,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("tag"))
}
