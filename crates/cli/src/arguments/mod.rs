//! The command line: global options here, every command's own in `commands`. The doc comments are the help.

mod filter;
mod from;
mod global;
mod patterns;
pub mod values;

pub use filter::{SnapshotFilterArguments, split_tags};
pub use from::{FromArguments, FromPasswordArguments};
pub use global::{CompressionArgument, GlobalArguments};
pub use patterns::ExcludeArguments;

use clap::{CommandFactory, Parser};

use crate::commands::Command;

/// Back up files into an encrypted, deduplicated repository, and get them back.
///
/// The repository is in restic's format: restic reads what strongroom writes, and the other way round.
/// It is named by -r or STRONGROOM_REPOSITORY, its password by --password-file, --password-command or STRONGROOM_PASSWORD,
/// STRONGROOM_PASSWORD_FILE, STRONGROOM_PASSWORD_COMMAND; otherwise the terminal is asked.
/// Where a variable STRONGROOM_… is unset, RESTIC_… is read.
#[derive(Debug, Parser)]
#[command(
    name = "strongroom",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "A first backup:\n  \
        export STRONGROOM_PASSWORD=try-me\n  \
        strongroom -r ./vault backup --init .\n  \
        strongroom -r ./vault snapshots\n  \
        strongroom -r ./vault restore latest --target ./restored"
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: GlobalArguments,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The definition of the whole command line, for help, manual pages and completions.
    pub fn definition() -> clap::Command {
        <Self as CommandFactory>::command()
    }
}
