//! `strongroom cache`: the local caches.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// List or remove local caches
///
/// A cache holds copies of metadata and can be removed at any time.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove caches that were not used for long
    #[arg(long)]
    pub cleanup: bool,

    /// Days without use after which a cache is old
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub max_age: u32,

    /// Do not add up sizes
    #[arg(long)]
    pub no_size: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("cache"))
}
