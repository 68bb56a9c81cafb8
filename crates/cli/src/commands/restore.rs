//! `strongroom restore`: files back from a snapshot.

use std::ffi::OsString;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::arguments::{ExcludeArguments, SnapshotFilterArguments};

/// Restore files from a snapshot
///
/// Into an empty directory, or into an existing tree, where only what differs is written.
/// It fails, with 20, where anything could not be restored; --allow-partial-restore makes that a warning.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest" [default with --at: the last one before]
    #[arg(value_name = "SNAPSHOT", required_unless_present = "at")]
    pub snapshot: Option<OsString>,

    /// Directory to restore into
    #[arg(short, long, value_name = "DIRECTORY")]
    pub target: PathBuf,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// The state at this time: the last snapshot taken by then
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Show what would be written and removed, and do neither
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// What to do where a file exists
    #[arg(long, value_name = "WHEN", default_value = "always")]
    pub overwrite: Overwrite,

    /// Remove what the snapshot does not have from the target
    #[arg(long)]
    pub delete: bool,

    /// Read every restored file again and compare
    #[arg(long)]
    pub verify: bool,

    /// Write long runs of zeros as holes
    #[arg(long)]
    pub sparse: bool,

    /// Go on where an entry cannot be restored, and end with 0
    #[arg(long)]
    pub allow_partial_restore: bool,

    /// Who owns what is restored
    #[arg(long, value_name = "POLICY", default_value = "auto")]
    pub owner: Owner,

    /// Which times restored entries get
    #[arg(long, value_name = "POLICY", default_value = "snapshot")]
    pub times: Times,

    /// Do not compare the space needed with the space free
    #[arg(long)]
    pub no_space_check: bool,

    #[command(flatten)]
    pub exclude: ExcludeArguments,

    /// Restore what matches the pattern alone
    #[arg(short, long, value_name = "PATTERN", help_heading = "Include")]
    pub include: Vec<String>,

    /// The same, whatever the case
    #[arg(long, value_name = "PATTERN", help_heading = "Include")]
    pub iinclude: Vec<String>,

    /// Read patterns to restore from a file, one a line
    #[arg(long, value_name = "FILE", help_heading = "Include")]
    pub include_file: Vec<PathBuf>,

    /// Like --include-file, whatever the case
    #[arg(long, value_name = "FILE", help_heading = "Include")]
    pub iinclude_file: Vec<PathBuf>,

    /// Leave out extended attributes whose names match
    #[arg(
        long,
        value_name = "PATTERN",
        help_heading = "Exclude",
        conflicts_with = "include_xattr"
    )]
    pub exclude_xattr: Vec<String>,

    /// Restore extended attributes whose names match alone
    #[arg(long, value_name = "PATTERN", help_heading = "Include")]
    pub include_xattr: Vec<String>,
}

/// What to do where a file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Overwrite {
    /// Make it what the snapshot has, whatever it is
    Always,
    /// The same, and take files of equal size and time for equal
    IfChanged,
    /// Only where the snapshot's is newer
    IfNewer,
    /// Leave it
    Never,
}

/// Who owns what is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Owner {
    /// As stored, by number, where this user is root; else the user
    Auto,
    /// As stored, by number
    Id,
    /// As stored, by name where it exists here, else by number
    Name,
    /// The user who restores
    Current,
}

/// Which times restored entries get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Times {
    /// Those of the snapshot
    Snapshot,
    /// The time of the restore
    Now,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("restore"))
}
