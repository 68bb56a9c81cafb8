//! `strongroom prune`: data that no snapshot needs, removed.

use clap::Args;

use crate::arguments::values;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Remove data that no snapshot needs
///
/// Backups may run meanwhile. It can be interrupted at any time; nothing that a snapshot needs is removed.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub repack: RepackArguments,
}

/// How much rewriting is worth it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repacking")]
pub struct RepackArguments {
    /// Unused data to leave in the repository: 5%, a size such as 10G, or "unlimited"
    #[arg(long, value_name = "LIMIT", default_value = "5%")]
    pub max_unused: String,

    /// Rewrite no more than this in one run
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_repack_size: Option<u64>,

    /// Rewrite packs of trees alone
    #[arg(long)]
    pub repack_cacheable_only: bool,

    /// Rewrite packs below 80 % of the pack size
    #[arg(long)]
    pub repack_small: bool,

    /// Rewrite packs that are smaller than this
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub repack_smaller_than: Option<u64>,

    /// Rewrite and compress all data that is not compressed
    #[arg(long)]
    pub repack_uncompressed: bool,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("prune"))
}
