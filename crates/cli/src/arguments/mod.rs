//! The command line: global options here, every command's own in `commands`. The doc comments are the help.

mod filter;
mod from;
mod global;
mod patterns;
mod repeated;
pub mod values;

pub use filter::{SnapshotFilterArguments, split_tags};
pub use from::{FromArguments, FromPasswordArguments};
pub use global::{CompressionArgument, GlobalArguments};
pub use patterns::ExcludeArguments;

use std::ffi::OsString;

use clap::builder::{PathBufValueParser, StringValueParser};
use clap::{CommandFactory, FromArgMatches, Parser};

use repeated::Repeated;

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

    /// Reads the words of the command line.
    ///
    /// # Errors
    /// clap's, also where help or the version was asked for.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let text = StringValueParser::new;
        let path = PathBufValueParser::new;
        let (repo, repo_parser) = Repeated::new(text());
        let (option, option_parser) = Repeated::new(text());
        let (password_file, password_parser) = Repeated::new(path());
        let (verify_key, verify_parser) = Repeated::new(path());
        let mut definition = Self::definition()
            .mut_arg("repo", |arg| arg.value_parser(repo_parser))
            .mut_arg("option", |arg| arg.value_parser(option_parser))
            .mut_arg("password_file", |arg| arg.value_parser(password_parser))
            .mut_arg("verify_key", |arg| arg.value_parser(verify_parser));
        let matches = definition.try_get_matches_from_mut(words)?;
        let read = Self::from_arg_matches(&matches);
        let mut read = read.map_err(|error| error.format(&mut definition))?;
        read.global.repo = repo.take();
        read.global.option = option.take();
        read.global.password_file = password_file.take();
        read.global.verify_key = verify_key.take();
        Ok(read)
    }
}
