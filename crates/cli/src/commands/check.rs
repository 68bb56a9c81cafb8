//! `strongroom check`: whether the repository is sound.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Check the repository for damage
///
/// Checks that all that snapshots need is there; --read-data also reads and checks every byte.
/// Ends with 21 where damage was found, and says which snapshots and files it touches. Changes nothing.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Read and check all data
    #[arg(long, conflicts_with = "read_data_subset")]
    pub read_data: bool,

    /// Read a part of the data: N/T for the Nth of T parts, or 5%, or a size such as 10G, at random
    #[arg(long, value_name = "SUBSET")]
    pub read_data_subset: Option<String>,

    /// Use the cache, and read what it does not have alone
    #[arg(long)]
    pub with_cache: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("check"))
}
