//! Patterns that leave entries out, with restic's meaning.

use std::path::PathBuf;

use clap::Args;

/// What is left out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Exclude")]
pub struct ExcludeArguments {
    /// Leave out what matches the pattern
    #[arg(short, long, value_name = "PATTERN")]
    pub exclude: Vec<String>,

    /// Leave out what matches the pattern, whatever its case
    #[arg(long, value_name = "PATTERN")]
    pub iexclude: Vec<String>,

    /// Read patterns to leave out from a file, one a line
    #[arg(long, value_name = "FILE")]
    pub exclude_file: Vec<PathBuf>,

    /// Like --exclude-file, whatever the case
    #[arg(long, value_name = "FILE")]
    pub iexclude_file: Vec<PathBuf>,
}
