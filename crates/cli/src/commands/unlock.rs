//! `strongroom unlock`: locks of processes that are gone.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Remove locks of processes that are gone
///
/// A lock is removed where its process is known to have ended on this host, or where it was not refreshed for 30 minutes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove all locks, even of processes that may still run
    #[arg(long)]
    pub remove_all: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("unlock"))
}
