//! `strongroom backup`: a new snapshot.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::arguments::{ExcludeArguments, values};

/// Back up files and directories as a new snapshot
///
/// Files that did not change since the last snapshot of the same host and paths are not read again.
/// The repository and the cache are left out by themselves where they lie inside of what is backed up.
///
/// Ends with 3 where something could not be read: the snapshot is made without it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to back up; with --stdin-from-command the command and its arguments
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Create the repository where there is none
    #[arg(long)]
    pub init: bool,

    /// Show what would be stored, and store nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Tags of the snapshot
    #[arg(long, value_name = "TAG[,TAG…]")]
    pub tag: Vec<String>,

    /// Name of the host in the snapshot [env: STRONGROOM_HOST]
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,

    /// Time of the snapshot, such as "2026-11-20 12:00:00" [default: now]
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,

    /// Snapshot to compare with [default: the latest of the group]
    #[arg(long, value_name = "SNAPSHOT", conflicts_with = "force")]
    pub parent: Option<String>,

    /// What the snapshot to compare with has in common: host, paths, tags
    #[arg(short, long, value_name = "GROUP", default_value = "host,paths")]
    pub group_by: String,

    /// Read every file again, whatever the last snapshot says
    #[arg(short, long)]
    pub force: bool,

    /// Make no snapshot where nothing has changed
    #[arg(long)]
    pub skip_if_unchanged: bool,

    /// Do not take a changed ctime for a changed file
    #[arg(long)]
    pub ignore_ctime: bool,

    /// Do not take a changed inode number or ctime for a changed file
    #[arg(long)]
    pub ignore_inode: bool,

    /// Store access times
    #[arg(long)]
    pub with_atime: bool,

    /// Do not count files before, so no time left is shown
    #[arg(long)]
    pub no_scan: bool,

    /// Files to read at the same time [env: STRONGROOM_READ_CONCURRENCY]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub read_concurrency: Option<u32>,

    /// What to do with symbolic links
    #[arg(long, value_name = "POLICY", default_value = "archive-link")]
    pub symlinks: Symlinks,

    #[command(flatten)]
    pub exclude: ExcludeArguments,

    /// Leave out the content of directories with a CACHEDIR.TAG
    #[arg(long, help_heading = "Exclude")]
    pub exclude_caches: bool,

    /// Leave out the content of directories that hold this file, which may have to begin with a header
    #[arg(long, value_name = "NAME[:HEADER]", help_heading = "Exclude")]
    pub exclude_if_present: Vec<String>,

    /// Leave out files that are larger, such as 500M
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "Exclude")]
    pub exclude_larger_than: Option<u64>,

    /// Do not enter other file systems
    #[arg(short = 'x', long, help_heading = "Exclude")]
    pub one_file_system: bool,

    /// Read what to back up from a file: patterns, one a line, # for comments; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from: Vec<PathBuf>,

    /// The same with plain paths, one a line
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from_verbatim: Vec<PathBuf>,

    /// The same with plain paths, each ended by a zero byte
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from_raw: Vec<PathBuf>,

    /// Back up what comes from standard input
    #[arg(long, help_heading = "What to back up", conflicts_with_all = ["stdin_from_command", "paths"])]
    pub stdin: bool,

    /// Back up what a command prints; a command that fails makes no snapshot
    #[arg(long, help_heading = "What to back up")]
    pub stdin_from_command: bool,

    /// Name of the file in the snapshot
    #[arg(
        long,
        value_name = "NAME",
        default_value = "stdin",
        help_heading = "What to back up"
    )]
    pub stdin_filename: String,
}

/// What to do with symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Symlinks {
    /// Store the link itself
    ArchiveLink,
    /// Leave links out
    Skip,
    /// Store what they point to, each directory once
    Follow,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("backup"))
}
