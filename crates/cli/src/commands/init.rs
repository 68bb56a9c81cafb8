//! `strongroom init`: a new repository.

use clap::Args;

use crate::arguments::FromArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Create a new repository
///
/// Makes the storage where it does not exist, and writes a configuration and a first key.
/// Whoever loses the password loses the data: nobody can recover either.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Version of the repository format
    #[arg(long, value_name = "VERSION", default_value = "stable", value_parser = ["2", "latest", "stable"])]
    pub repository_version: String,

    /// Cut files like the repository of --from-repo, so that `copy` between the two stores nothing twice
    #[arg(long)]
    pub copy_chunker_params: bool,

    #[command(flatten)]
    pub from: FromArguments,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("init"))
}
