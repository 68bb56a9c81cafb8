//! `strongroom cat`: what is inside the repository.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use clap::Subcommand;

/// Print an object of the repository
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    object: Object,
}

#[derive(Debug, Subcommand)]
enum Object {
    /// The configuration
    Config,
    /// The key that all data is encrypted with: whoever has it needs no password
    Masterkey,
    /// A snapshot
    Snapshot { id: String },
    /// An index file
    Index { id: String },
    /// A key file
    Key { id: String },
    /// A lock file
    Lock { id: String },
    /// A pack, as it is stored
    Pack { id: String },
    /// The content of a blob
    Blob { id: String },
    /// The tree of a directory: SNAPSHOT:PATH
    Tree { tree: String },
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("cat"))
}
