//! `strongroom diff`: what differs between two snapshots.

use std::ffi::OsString;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Show what differs between two snapshots
///
/// Each line begins with + (added), - (removed), M (content changed), U (metadata changed), T (another type) or
/// ? (content changed under equal metadata).
#[derive(Debug, Args)]
pub struct Arguments {
    /// First snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub first: OsString,

    /// Second snapshot
    #[arg(value_name = "SNAPSHOT")]
    pub second: OsString,

    /// Show changes of metadata
    #[arg(long)]
    pub metadata: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("diff"))
}
