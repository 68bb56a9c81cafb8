//! `strongroom dump`: one file or directory to standard output.

use std::ffi::OsString;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::arguments::SnapshotFilterArguments;

/// Print a file of a snapshot, or a directory as an archive
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: OsString,

    /// Absolute path of a file or directory in the snapshot; / for all of it
    #[arg(value_name = "PATH")]
    pub file: OsString,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Format for a directory
    #[arg(short, long, value_name = "FORMAT", default_value = "tar")]
    pub archive: Archive,

    /// Write to a file, which must not exist yet
    #[arg(short, long, value_name = "FILE")]
    pub target: Option<PathBuf>,
}

/// Formats of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    /// Keeps everything: owners, times, links, devices, extended attributes
    Tar,
    /// Keeps files, directories, symbolic links, modes and times
    Zip,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("dump"))
}
