//! Patterns that leave entries out, with restic's meaning.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// What is left out.
#[derive(Debug, Clone, Default, Args)]
pub struct ExcludeArguments {
    /// Leave out what matches the pattern
    #[arg(help_heading = "Exclude", short, long, value_name = "PATTERN")]
    pub exclude: Vec<OsString>,

    /// Leave out what matches the pattern, whatever its case
    #[arg(help_heading = "Exclude", long, value_name = "PATTERN")]
    pub iexclude: Vec<OsString>,

    /// Read patterns to leave out from a file, one a line
    #[arg(help_heading = "Exclude", long, value_name = "FILE")]
    pub exclude_file: Vec<PathBuf>,

    /// Like --exclude-file, whatever the case
    #[arg(help_heading = "Exclude", long, value_name = "FILE")]
    pub iexclude_file: Vec<PathBuf>,
}
