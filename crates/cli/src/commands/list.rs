//! `strongroom list`: identifiers of what is in the repository.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use clap::ValueEnum;

/// List the identifiers of objects in the repository
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to list
    pub kind: Kind,
}

/// Kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Blobs,
    Packs,
    Index,
    Snapshots,
    Keys,
    Locks,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("list"))
}
